package io.callbridge.platform;

import io.netty.handler.ssl.SslContext;

/**
 * How to get to the manager interface of an Asterisk (contract section 1).
 *
 * @param tls {@code null}: none
 * @param idPrefix in front of CallID and SubCallID, which several Asterisks may choose equal; may be empty
 * @param plainLogin the secret may go in clear if the Asterisk offers no challenge
 */
public record AmiSettings(String host, int port, String username, String secret, SslContext tls, boolean plainLogin,
        String idPrefix, AsteriskDialplan dialplan) {

    /** As it may be shown: without the secret. */
    @Override
    public String toString() {
        return username + "@" + host + ":" + port;
    }
}
