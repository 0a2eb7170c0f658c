package io.callbridge.store;

import java.util.List;

/** One row of the outbox, an effect that a CRM must see. Its columns are explained where they are made (V2__calls.sql). */
public record Delivery(long seq, String crm, String operation, String id, String pbx, String callId, String lane,
        String body, String enriched, String state, int revision, int attempts, String tries, long nextAt, long expiresAt, long createdAt,
        String trace) {

    public static final String CARD = "card";
    /** The phone of the card was answered. */
    public static final String ANSWER = "answer";
    public static final String CARD_END = "card-end";
    public static final String CALL = "call";
    /** The recording of a call that was registered. */
    public static final String RECORDING = "recording";
    public static final String MISSED = "missed";
    /** To call back who was missed. */
    public static final String TASK = "task";
    /** All of them; what a CRM can do is for which of them it has a route {@code deliver-<crm>-<operation>}. */
    public static final List<String> OPERATIONS = List.of(CARD, ANSWER, CARD_END, CALL, RECORDING, MISSED, TASK);

    /** Lanes: cards never wait behind registrations, and no registration behind a recording. */
    public static final String CARDS = "cards";
    public static final String CALLS = "calls";
    public static final String RECORDINGS = "recordings";
    public static final List<String> LANES = List.of(CARDS, CALLS, RECORDINGS);

    public static String laneOf(String operation) {
        return switch (operation) {
            case CARD, ANSWER, CARD_END -> CARDS;
            case RECORDING -> RECORDINGS;
            default -> CALLS;
        };
    }

    /** Whoever put it into the outbox has taken it, to be delivered straight from memory. */
    public boolean straight() {
        return revision == 1 && nextAt > createdAt;
    }

    /** Of what waits for a CRM about one call, in which order: as {@link Outbox#take} has it. */
    public boolean goesBefore(Delivery later) {
        return seq < later.seq && switch (later.lane) {
            case CARDS -> lane.equals(CARDS) && id.equals(later.id);
            case RECORDINGS -> id.equals(later.id);
            default -> lane.equals(CALLS) || lane.equals(CARDS) && id.equals(later.id);
        };
    }

    /** It is worth something for seconds only. */
    public boolean fleeting() {
        return operation.equals(CARD) || operation.equals(ANSWER);
    }
}
