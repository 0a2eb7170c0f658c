package io.callbridge.store;

/**
 * One row of the outbox: an effect that a CRM must see.
 *
 * @param operation {@code card}, {@code card-end}, {@code call}, {@code missed}
 * @param id SubCallID, or the CallID of a missed call: what the CRM's request is named after
 * @param body JSON of the request, without what only the CRM knows
 * @param enriched JSON as it was sent, {@code null} before the first try
 * @param nextAt milliseconds since 1970: the next try, not before
 * @param expiresAt milliseconds since 1970: a card is not sent after this
 */
public record Delivery(long seq, String crm, String operation, String id, String pbx, String callId, String lane,
        String body, String enriched, String state, int revision, int attempts, long nextAt, long expiresAt, long createdAt) {

    public static final String CARD = "card";
    public static final String CARD_END = "card-end";
    public static final String CALL = "call";
    public static final String MISSED = "missed";

    /** Lanes: cards never wait behind registrations. */
    public static final String CARDS = "cards";
    public static final String CALLS = "calls";

    public static String laneOf(String operation) {
        return operation.startsWith(CARD) ? CARDS : CALLS;
    }
}
