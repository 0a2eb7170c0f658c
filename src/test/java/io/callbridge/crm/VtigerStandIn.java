package io.callbridge.crm;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The PBXManager callback of vtiger, after the product's own source (modules/PBXManager, as kept by the fork
 * salesplatform-vtigercrm, which marks its changes). The product answers nothing to a request that it cannot use: status 200
 * and no body. Such requests are in {@link #ignored}, because there is no error to see. Not modelled: customers, who may
 * receive calls, the five minutes after which a poll ends a ringing, the fork's word DialBegin.
 */
class VtigerStandIn extends StandIn {

    static final String SIGNATURE = "vtiger-signature-of-the-tests";

    private static final String CALLBACK = "/modules/PBXManager/callbacks/PBXManager.php";
    private static final String RINGING = "ringing";
    private static final String IN_PROGRESS = "in-progress";
    private static final String COMPLETED = "completed";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");
    private static final int LONGEST_NUMBER_INSIDE = 5;
    /** Widths of the columns in the product's schema. */
    private static final Map<String, Integer> WIDTHS = Map.of("callUUID", 100, "recordinglink", 200, "causetxt", 20, "callerIdNumber", 100);

    /** The names that the product reads; the first ones it cannot do without. */
    private record Event(Set<String> needed, Set<String> possible) {
    }

    private static final Map<String, Event> EVENTS = Map.of(
            "StartApp", new Event(Set.of("callUUID", "callerIdNumber", "StartTime"), Set.of("callerIdName", "channel", "connectedLineName")),
            "DialAnswer", new Event(Set.of("callUUID", "callerid1", "callerid2"), Set.of()),
            "EndCall", new Event(Set.of("callUUID", "starttime", "endtime", "duration", "billableseconds"), Set.of("callerNumber")),
            "Hangup", new Event(Set.of("callUUID", "causetxt"), Set.of("HangupCause", "EndTime", "Duration", "callerIdNum")),
            "Record", new Event(Set.of("callUUID", "recordinglink"), Set.of("callerNumber")));

    /** One row of the product's table. */
    private static final class Row {
        private final String uuid;
        private final String direction;
        private final String number;
        private String user;
        private String status = RINGING;
        private String start;
        private Long billed;
        private String recording;

        private Row(String uuid, String direction, String user, String number, String start) {
            this.uuid = uuid;
            this.direction = direction;
            this.user = user;
            this.number = number;
            this.start = start;
        }
    }

    private final Map<String, String> users = new LinkedHashMap<>();
    private final List<Row> rows = new ArrayList<>();
    private final List<String> ignored = new ArrayList<>();
    private ZoneId zone = ZoneId.of("Europe/Moscow");
    private boolean multiplies;

    /** An employee. @param extension {@code phone_crm_extension} */
    void user(String id, String extension) {
        look(() -> users.put(extension, id));
    }

    /** Where the CRM is: times carry no zone. */
    void zone(ZoneId place) {
        look(() -> zone = place);
    }

    /**
     * Whether a repeated StartApp is a second record. So it is in the product: it inserts without a look, and the table has
     * no unique key. The fork has one record per call and user. One record if not told.
     */
    void multiplies(boolean really) {
        look(() -> multiplies = really);
    }

    /** What the product passed over in silence, and what it would store cut or not at all: one line each. */
    List<String> ignored() {
        return look(() -> List.copyOf(ignored));
    }

    /** What the browsers' poll (IncomingCallPoll, searchIncomingCalls) would show as a popup: incoming and still ringing. */
    List<CrmEffect> ringing() {
        return look(() -> rows.stream().filter(r -> incoming(r) && r.status.equals(RINGING)).map(VtigerStandIn::card).toList());
    }

    List<CrmEffect> effects() {
        return look(() -> {
            List<CrmEffect> all = new ArrayList<>();
            for (Row row : rows) {
                if (incoming(row)) {
                    all.add(card(row));
                    if (!row.status.equals(RINGING)) {
                        all.add(new CrmEffect(CrmEffect.Kind.CARD_END, row.uuid, row.user, CrmEffect.digits(row.number), "in", row.status,
                                null, null, null));
                    }
                }
                if (!row.status.equals(RINGING) && !row.status.equals(IN_PROGRESS)) {
                    all.add(new CrmEffect(incoming(row) && !row.status.equals(COMPLETED) ? CrmEffect.Kind.MISSED : CrmEffect.Kind.CALL, row.uuid,
                            row.user, CrmEffect.digits(row.number), incoming(row) ? "in" : "out", row.status, row.billed, second(row.start),
                            row.recording));
                }
            }
            return all;
        });
    }

    private static CrmEffect card(Row row) {
        return new CrmEffect(CrmEffect.Kind.CARD, row.uuid, row.user, CrmEffect.digits(row.number), "in", null, null, null, null);
    }

    private static boolean incoming(Row row) {
        return row.direction.equals("inbound");
    }

    @Override
    protected Reply answer(Request request) {
        if (!request.path().equals(CALLBACK)) {
            return new Reply(404, "text/html", "Not Found", Map.of());
        }
        Map<String, String> given = request.parameters();
        if (!SIGNATURE.equals(given.get("vtigersignature"))) {
            ignored.add("wrong vtigersignature");
            return xml("<Response><Authentication>Failure</Authentication></Response>");
        }
        String word = given.get("callstatus");
        Event event = word == null ? null : EVENTS.get(word);
        if (event == null) {
            ignored.add("callstatus is " + word);
            return Reply.empty(200);
        }
        judge(word, event, given);
        String uuid = given.getOrDefault("callUUID", "");
        switch (word) {
            case "StartApp" -> {
                return startApp(uuid, given);
            }
            case "DialAnswer" -> dialAnswer(uuid, given);
            case "EndCall" -> of(word, uuid).forEach(row -> {
                row.start = given.get("starttime");
                row.billed = number(given.get("billableseconds"));
            });
            case "Hangup" -> hangup(uuid, given);
            default -> of(word, uuid).forEach(row -> row.recording = given.get("recordinglink"));
        }
        return Reply.empty(200);
    }

    /** The direction is inferred: outgoing if the caller's number, or the number in the channel's name, is a user's. */
    private Reply startApp(String uuid, Map<String, String> given) {
        String caller = given.getOrDefault("callerIdNumber", "");
        String[] channel = given.getOrDefault("channel", "").split("-", 2)[0].split("/");
        String device = channel.length > 1 ? channel[1] : "";
        String user = users.getOrDefault(caller, device.matches("[0-9]+") ? users.get(device) : null);
        if (user != null) {
            // What was dialled is in the name, unless the caller's number is that of the trunk.
            String to = caller.equals(device) ? given.getOrDefault("callerIdName", "") : caller;
            ring(new Row(uuid, "outbound", user, to, given.get("StartTime")));
            return dial("<Number>SIP/" + to + (to.length() > LONGEST_NUMBER_INSIDE ? "@trunk" : "") + "</Number>");
        }
        Row row = ring(new Row(uuid, "inbound", null, caller, given.get("StartTime")));
        if (users.isEmpty()) {
            row.status = "no-answer";
            return dial("<ConfiguredNumber>empty</ConfiguredNumber>");
        }
        StringBuilder agents = new StringBuilder();
        users.keySet().forEach(extension -> agents.append("<Number>SIP/").append(extension).append("</Number>"));
        return dial(agents.toString());
    }

    private Row ring(Row row) {
        Row known = multiplies ? null : rows.stream().filter(r -> r.uuid.equals(row.uuid)).findFirst().orElse(null);
        if (known == null) {
            rows.add(row);
            return row;
        }
        // The fork sets a known record back, even one of an ended call.
        known.status = RINGING;
        return known;
    }

    /** The answering user of an incoming call is the second number's; of an outgoing one the first number's. */
    private void dialAnswer(String uuid, Map<String, String> given) {
        String first = users.get(given.getOrDefault("callerid1", ""));
        String second = users.get(given.getOrDefault("callerid2", ""));
        for (Row row : of("DialAnswer", uuid)) {
            if (incoming(row)) {
                row.user = second;
            } else if (first != null) {
                row.user = first;
            }
            row.status = IN_PROGRESS;
        }
    }

    private void hangup(String uuid, Map<String, String> given) {
        String cause = given.getOrDefault("causetxt", "");
        if (cause.equals("null") || cause.isEmpty()) {
            ignored.add("Hangup with the text '" + cause + "'");
            return;
        }
        String status = switch (cause) {
            case "Normal Clearing" -> "NO ANSWER".equals(given.get("HangupCause")) ? "no-answer" : COMPLETED;
            case "User busy", "Call Rejected" -> "busy";
            default -> cause;
        };
        of("Hangup", uuid).forEach(row -> row.status = status);
    }

    /** What an update with this callUUID hits; an unknown one hits nothing, and the product says nothing. */
    private List<Row> of(String word, String uuid) {
        List<Row> hit = rows.stream().filter(row -> row.uuid.equals(uuid)).toList();
        if (hit.isEmpty()) {
            ignored.add(word + " for an unknown callUUID: " + uuid);
        }
        return hit;
    }

    private void judge(String word, Event event, Map<String, String> given) {
        event.needed.stream().filter(name -> given.getOrDefault(name, "").isEmpty()).sorted().forEach(name -> ignored.add(word + " without " + name));
        given.forEach((name, value) -> {
            if (!event.needed.contains(name) && !event.possible.contains(name) && !Set.of("vtigersignature", "callstatus").contains(name)) {
                ignored.add(word + " has the unknown parameter " + name);
            }
            if (value.length() > WIDTHS.getOrDefault(name, Integer.MAX_VALUE)) {
                ignored.add(word + " has a " + name + " that does not fit");
            }
            if (Set.of("StartTime", "starttime", "endtime", "EndTime").contains(name) && second(value) == null) {
                ignored.add(word + " has a " + name + " that is no time: " + value);
            }
            if (Set.of("duration", "Duration", "billableseconds").contains(name) && number(value) == null) {
                ignored.add(word + " has a " + name + " that is no number: " + value);
            }
        });
    }

    private Long second(String time) {
        try {
            return time == null ? null : LocalDateTime.parse(time, TIME).atZone(zone).toEpochSecond();
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static Long number(String text) {
        return text != null && text.matches("[0-9]{1,10}") ? Long.valueOf(text) : null;
    }

    private static Reply dial(String inside) {
        return xml("<Response><Dial><Authentication>Success</Authentication>" + inside + "</Dial></Response>");
    }

    private static Reply xml(String text) {
        return new Reply(200, "text/xml; charset=utf-8", "<?xml version=\"1.0\" encoding=\"utf-8\"?>" + text, Map.of());
    }
}
