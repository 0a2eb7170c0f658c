package io.callbridge.domain;

import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.CallEvent.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One event of a leg, to be written in one line, mostly as text. The fields of the emitting side are filled in as the PBX of
 * {@link #DIRECTORY} does; seconds count from {@link #BEGIN}, and an event arrives when it happened, unless told otherwise.
 */
public final class TestEvent {

    public static final CallSettings SETTINGS = new CallSettings(Duration.ofSeconds(5), Duration.ofMinutes(60), Duration.ofSeconds(5),
            true, false, false, false, Duration.ofMinutes(15), Duration.ofHours(4), Duration.ofMinutes(2));
    public static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    public static final Directory DIRECTORY = directory("453");
    static final String CALLER = "+79000000010";
    private static final String PREFIX = "453*";
    private static final String DOMAIN = "@sip.pbx.example";

    private final Type type;
    private final String own;
    private final Map<String, String> fields = new HashMap<>();

    TestEvent(String type, String extension) {
        this.type = Type.of(type);
        own = extension;
        with("status", type.equals("answer") ? type : type.equals("hangup") ? "cancel" : "calling");
    }

    /** The PBX of the made-up calls; an empty prefix: nobody configured it. */
    static Directory directory(String prefix) {
        return new Directory("main", prefix, "sip.pbx.example", null, List.of(
                new Extension("101", Extension.Type.PHONE, "anna", "71101"),
                new Extension("102", Extension.Type.PHONE, "boris", "71102"),
                new Extension("103", Extension.Type.PHONE, "clara", "71103"),
                new Extension("120", Extension.Type.PHONE, null, "71120"), new Extension("099", Extension.Type.IVR, null, "71099"),
                new Extension("880", Extension.Type.QUEUE, null, "71880"), new Extension("881", Extension.Type.QUEUE, null, "71881")),
                TestEvent::plus, TestEvent::plus, List.of(), null);
    }

    private static String plus(String number) {
        return number.startsWith("+") ? number : "+" + number;
    }

    /** Of {@code dial-in 101 @0; answer 101 remote=C @5}, where C, and who is not said, is {@link #CALLER}, and @ the second. */
    public static List<CallEvent> read(String text) {
        return Stream.of(text.split("; ")).map(event -> event.strip().split(" ")).map(words -> {
            TestEvent event = new TestEvent(words[0], words[1]);
            event.with(event.type == Type.DIAL_OUT ? "to" : "from", CALLER);
            for (String word : List.of(words).subList(2, words.length)) {
                String[] field = word.replaceFirst("^@", "at=").split("=");
                event.with(field[0], field.length == 1 || field[1].equals("C") ? CALLER : field[1].equals("none") ? null : field[1]);
            }
            return event.build();
        }).toList();
    }

    /**
     * @param field from or to (the other party of an incoming or outgoing leg), via (short name of the IVR or queue that routed the
     *            incoming leg, or of the own extension that the outgoing one reaches), status, micros, talked (seconds, of an answered
     *            leg that ends), bridged, remote, forwarded, callBack, recording, leg, as (the number of the emitting side, which has
     *            an id that nobody configured, and is an extension only if name says which), at, arrives, timeless (without
     *            EventTime), channel (heard on the connection to an Asterisk, where nothing overtakes anything)
     * @param value {@code null}: it says nothing
     */
    TestEvent with(String field, Object value) {
        fields.remove(field);
        if (value != null) {
            fields.put(field, value.toString());
        }
        return this;
    }

    CallEvent build() {
        boolean in = !fields.containsKey("to");
        String other = fields.get(in ? "from" : "to");
        String via = fields.containsKey("via") ? PREFIX + fields.get("via") + DOMAIN : null;
        boolean stranger = fields.containsKey("as");
        String number = fields.getOrDefault("as", PREFIX + own);
        String extension = fields.getOrDefault("name", stranger ? null : PREFIX + own + DOMAIN);
        String talked = fields.get("talked");
        String micros = talked == null ? fields.get("micros") : talked + "000000";
        Instant at = time("at", BEGIN);
        return new CallEvent("main", type, "call", fields.getOrDefault("leg", (stranger ? "99" : "71") + own + "-1"),
                in ? Flow.IN : Flow.OUT, talked == null ? fields.get("status") : "answer", in ? other : number, in ? number : other, in ? via : extension,
                in ? extension : via, null, null, in && other != null ? "74950000001" : null, fields.get("remote"),
                fields.containsKey("bridged") ? Boolean.valueOf(fields.get("bridged")) : null, "true".equals(fields.get("forwarded")),
                fields.get("callBack"), micros == null ? null : Long.valueOf(micros), fields.containsKey("timeless") ? null : at,
                time("arrives", at), fields.get("recording"), fields.get("channel"), null);
    }

    private Instant time(String field, Instant otherwise) {
        String time = fields.get(field);
        return time == null ? otherwise : time.endsWith("Z") ? Instant.parse(time) : second(time);
    }

    static Instant second(String second) {
        return BEGIN.plusMillis(Math.round(Double.parseDouble(second) * 1000));
    }

    /** The same event at another time of arrival. */
    static CallEvent arriving(CallEvent e, Instant at) {
        return new CallEvent(e.pbx(), e.type(), e.callId(), e.legId(), e.flow(), e.status(), e.caller(), e.called(),
                e.callerExtension(), e.calledExtension(), e.callerExtensionId(), e.calledExtensionId(), e.did(), e.remoteNumber(),
                e.bridged(), e.transferred(), e.callBackId(), e.duration(), e.time(), at, e.recordingId(),
                e.channel(), e.extensionType());
    }
}
