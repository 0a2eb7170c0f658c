package io.callbridge.asterisk;

import java.time.Instant;

/**
 * The connection to an Asterisk.
 *
 * @param state {@code connected}, {@code down}, or {@code elsewhere}: another replica reads it
 * @param lastEvent {@code null}: none came yet
 * @param reason why it is not connected, or why no call is known although it is; {@code null}: there is no such reason
 */
public record AmiState(String state, Instant since, Instant lastEvent, String reason) {

    public static final String CONNECTED = "connected";
    public static final String DOWN = "down";
    public static final String ELSEWHERE = "elsewhere";
}
