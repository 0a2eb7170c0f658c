package io.callbridge.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * One call as the PBX will report it: the events of its legs with the milliseconds after its start at which they
 * happen. Field names and forms are those of the PBX's webhook (contract section 2).
 */
final class ScriptedCall {

    static final String PREFIX = "453*";
    static final String DOMAIN = "@sip.pbx.example";

    /** @param at milliseconds after the start of the call */
    record Event(long at, Map<String, String> fields) {
    }

    private final Random random;
    private final String callId;
    private final String did;
    private final List<Event> events = new ArrayList<>();

    ScriptedCall(Random random, String did) {
        this.random = random;
        this.did = did;
        callId = hex();
    }

    /** In the order of time. */
    List<Event> events() {
        return events.stream().sorted(Comparator.comparingLong(Event::at)).toList();
    }

    /** A leg that arrives at a phone, from outside. */
    Leg incoming(String extension, String caller) {
        return leg(extension, "in", caller)
                .with("CalledNumber", PREFIX + extension)
                .with("CalledExtension", PREFIX + extension + DOMAIN)
                .with("CalledExtensionID", id(extension))
                .with("CalledDID", did);
    }

    /** A leg that arrives at a phone, sent there by an IVR or a queue. */
    Leg incoming(String extension, String caller, String container) {
        return incoming(extension, caller)
                .with("CallerExtension", PREFIX + container + DOMAIN)
                .with("CallerExtensionID", id(container));
    }

    /** A leg that arrives at a phone, from another phone of the PBX: there is no DID. */
    Leg fromPhone(String extension, String callingExtension) {
        Leg leg = incoming(extension, PREFIX + callingExtension);
        leg.fields.remove("CalledDID");
        return leg;
    }

    /** A leg that leaves a phone, for a number as dialled. */
    Leg outgoing(String extension, String dialled) {
        return leg(extension, "out", PREFIX + extension)
                .with("CallerExtension", PREFIX + extension + DOMAIN)
                .with("CallerExtensionID", id(extension))
                .with("CalledNumber", dialled);
    }

    /** A leg that leaves a phone, for another phone of the PBX. */
    Leg toPhone(String extension, String calledExtension) {
        return outgoing(extension, PREFIX + calledExtension)
                .with("CalledExtension", PREFIX + calledExtension + DOMAIN)
                .with("CalledExtensionID", id(calledExtension));
    }

    /** The caller's way through an IVR or a queue. */
    Leg container(String extension, String caller) {
        return incoming(extension, caller);
    }

    private Leg leg(String extension, String flow, String caller) {
        return new Leg(extension)
                .with("CallID", callId)
                .with("SubCallID", id(extension) + "-" + hex())
                .with("CallFlow", flow)
                .with("CallerIDNum", caller)
                .with("CallerIDName", caller);
    }

    private String hex() {
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** The numeric id of an extension at this PBX. */
    private static String id(String extension) {
        return "71" + extension;
    }

    final class Leg {

        private final String extension;
        private final Map<String, String> fields = new LinkedHashMap<>();
        private long answeredAt = -1;

        private Leg(String extension) {
            this.extension = extension;
        }

        Leg with(String field, String value) {
            fields.put(field, value);
            return this;
        }

        /** The leg begins: the phone rings, the number is dialled, the caller enters the container. */
        Leg ring(long at) {
            return event(at, fields.get("CallFlow").equals("in") ? "dial-in" : "dial-out", "CALLING", Map.of());
        }

        Leg answer(long at) {
            answeredAt = at;
            return event(at, "answer", "ANSWER", Map.of());
        }

        /** The end of a leg that was answered: talk time in microseconds, and a recording. */
        Leg hangup(long at) {
            return event(at, "hangup", "ANSWER", Map.of(
                    "Duration", Long.toString((at - answeredAt) * 1000),
                    "RecID", id(extension) + "-" + hex()));
        }

        /** The end of a leg that was not answered. */
        Leg hangup(long at, String status) {
            return event(at, "hangup", status, Map.of("Duration", "0"));
        }

        /** The end of the caller's way through a container. */
        Leg hangup(long at, boolean bridged) {
            return event(at, "hangup", "ANSWER", Map.of("Bridged", bridged ? "yes" : "no"));
        }

        private Leg event(long at, String type, String status, Map<String, String> more) {
            Map<String, String> all = new LinkedHashMap<>();
            all.put("EventType", type);
            all.putAll(fields);
            all.put("CallStatus", status);
            all.putAll(more);
            events.add(new Event(at, all));
            return this;
        }
    }
}
