package io.callbridge.domain;

import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.CallEvent.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * One event of a leg, to be written in one line: {@code dialIn("101").from("+79000000010").at(0)}. The fields of the emitting
 * side are filled in as the PBX of {@link #DIRECTORY} does; seconds count from {@link #BEGIN}, and
 * an event arrives when it happened, unless told otherwise.
 */
public final class TestEvent {

    public static final CallSettings SETTINGS = new CallSettings(Duration.ofSeconds(5), Duration.ofMinutes(60), Duration.ofSeconds(5),
            true, false, false, false, Duration.ofMinutes(15), Duration.ofHours(4), Duration.ofMinutes(2));
    public static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    public static final Directory DIRECTORY = directory("453");
    private static final String PREFIX = "453*";
    private static final String DOMAIN = "@sip.pbx.example";

    private final Type type;
    private final String own;
    private String leg;
    private Flow flow = Flow.IN;
    private String status;
    private String other;
    private String ownNumber;
    private String ownExtension;
    private String otherExtension;
    private String did;
    private String remote;
    private Boolean bridged;
    private boolean transferred;
    private String callBack;
    private Long micros;
    private boolean timeless;
    private Instant at = BEGIN;
    private Instant arrived;
    private String recording;
    private String channel;

    private TestEvent(Type type, String extension, String status) {
        this.type = type;
        this.own = extension;
        this.leg = "71" + extension + "-1";
        this.ownNumber = PREFIX + extension;
        this.ownExtension = PREFIX + extension + DOMAIN;
        this.status = status;
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

    public static TestEvent dialIn(String extension) {
        return new TestEvent(Type.DIAL_IN, extension, "calling");
    }

    public static TestEvent dialOut(String extension) {
        return new TestEvent(Type.DIAL_OUT, extension, "calling");
    }

    public static TestEvent answer(String extension) {
        return new TestEvent(Type.ANSWER, extension, "answer");
    }

    public static TestEvent hangup(String extension) {
        return new TestEvent(Type.HANGUP, extension, "cancel");
    }

    /** Of an incoming leg: CallerIDNum. */
    public TestEvent from(String caller) {
        flow = Flow.IN;
        other = caller;
        did = "74950000001";
        return this;
    }

    /** Of an outgoing leg: CalledNumber. */
    public TestEvent to(String called) {
        flow = Flow.OUT;
        other = called;
        did = null;
        return this;
    }

    /** Short name of the IVR or queue that routed the incoming leg, or of the own extension that the outgoing one reaches. */
    public TestEvent via(String extension) {
        otherExtension = extension == null ? null : PREFIX + extension + DOMAIN;
        return this;
    }

    public TestEvent status(String word) {
        status = word;
        return this;
    }

    /** The talk, in the unit of the field; {@code null}: the hangup does not say it. */
    public TestEvent micros(Long duration) {
        micros = duration;
        return this;
    }

    /** An answered leg ends, after so much talk. */
    public TestEvent talked(long seconds) {
        status = "answer";
        return micros(seconds * 1_000_000);
    }

    public TestEvent bridged(Boolean connected) {
        bridged = connected;
        return this;
    }

    public TestEvent remote(String number) {
        remote = number;
        return this;
    }

    public TestEvent forwarded(boolean byRule) {
        transferred = byRule;
        return this;
    }

    public TestEvent callBack(String id) {
        callBack = id;
        return this;
    }

    public TestEvent recording(String id) {
        recording = id;
        return this;
    }

    public TestEvent leg(String id) {
        leg = id;
        return this;
    }

    /** How the emitting side is named: number, and full name or {@code null}. Its id is one that nobody configured. */
    public TestEvent as(String number, String extension) {
        leg = "99" + own + "-1";
        ownNumber = number;
        ownExtension = extension;
        return this;
    }

    public TestEvent at(double second) {
        return at(BEGIN.plusMillis(Math.round(second * 1000)));
    }

    public TestEvent at(Instant time) {
        at = time;
        return this;
    }

    /** Later, or earlier, than it happened. */
    public TestEvent arrives(double second) {
        arrived = BEGIN.plusMillis(Math.round(second * 1000));
        return this;
    }

    /** Heard on the connection to an Asterisk, where nothing overtakes anything. */
    public TestEvent onChannel(String name) {
        channel = name;
        return this;
    }

    /** Without EventTime. */
    public TestEvent timeless(boolean missing) {
        timeless = missing;
        return this;
    }

    public CallEvent build() {
        boolean in = flow == Flow.IN;
        return new CallEvent("main", type, "call", leg, flow, status, in ? other : ownNumber, in ? ownNumber : other,
                in ? otherExtension : ownExtension, in ? ownExtension : otherExtension, null, null, did, remote, bridged,
                transferred, callBack, micros, timeless ? null : at, arrived == null ? at : arrived, recording, channel, null);
    }

    /** The same event at another time of arrival. */
    static CallEvent arriving(CallEvent e, Instant at) {
        return new CallEvent(e.pbx(), e.type(), e.callId(), e.legId(), e.flow(), e.status(), e.caller(), e.called(),
                e.callerExtension(), e.calledExtension(), e.callerExtensionId(), e.calledExtensionId(), e.did(), e.remoteNumber(),
                e.bridged(), e.transferred(), e.callBackId(), e.duration(), e.time(), at, e.recordingId(),
                e.channel(), e.extensionType());
    }
}
