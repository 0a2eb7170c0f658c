package io.callbridge.asterisk;

import java.time.Instant;
import java.util.List;

/**
 * What was received at once on the connection to an Asterisk, in order.
 *
 * @param connection counts the connections of this process; another one than before: events may have been lost in between
 * @param messages events that {@link AsteriskReader#EVENTS} names, and responses to our actions
 */
public record AmiBatch(String pbx, long connection, Instant arrivedAt, List<AmiMessage> messages) {
}
