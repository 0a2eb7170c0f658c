package io.callbridge.crm;

import io.callbridge.crm.CrmEffect.Kind;
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

    private static final String RINGING = "ringing";
    private static final String IN_PROGRESS = "in-progress";
    private static final String COMPLETED = "completed";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");
    /** Widths of the columns in the product's schema. */
    private static final Map<String, Integer> WIDTHS = Map.of("callUUID", 100, "recordinglink", 200, "causetxt", 20, "callerIdNumber", 100);

    /** The names that the product cannot do without, and the others that it reads. */
    private static final Map<String, Set<String>> NEEDED = Map.of("StartApp", Set.of("callerIdNumber", "StartTime"),
            "DialAnswer", Set.of("callerid1", "callerid2"), "EndCall", Set.of("starttime", "endtime", "duration", "billableseconds"),
            "Hangup", Set.of("causetxt"), "Record", Set.of("recordinglink"));
    private static final Map<String, Set<String>> POSSIBLE = Map.of("StartApp", Set.of("callerIdName", "channel", "connectedLineName"),
            "DialAnswer", Set.of(), "EndCall", Set.of("callerNumber"),
            "Hangup", Set.of("HangupCause", "EndTime", "Duration", "callerIdNum"), "Record", Set.of("callerNumber"));

    /** One row of the product's table. */
    private static final class Row {

        private final String uuid;
        private final boolean incoming;
        private final String number;
        private String user;
        private String status = RINGING;
        private String start;
        private Long billed;
        private String recording;

        private Row(String uuid, boolean incoming, String user, String number, String start) {
            this.uuid = uuid;
            this.incoming = incoming;
            this.user = user;
            this.number = number;
            this.start = start;
        }
    }

    private final Map<String, String> users = new LinkedHashMap<>();
    private final List<Row> rows = new ArrayList<>();
    private final List<String> ignored = new ArrayList<>();
    /** Where the CRM is: times carry no zone. */
    volatile ZoneId zone = ZoneId.of("Europe/Moscow");
    /**
     * Whether a repeated StartApp is a second record. So it is in the product: it inserts without a look, and the table has
     * no unique key. The fork has one record per call and user.
     */
    volatile boolean multiplies;

    /** An employee. @param extension {@code phone_crm_extension} */
    void user(String id, String extension) {
        look(() -> users.put(extension, id));
    }

    /** What the product passed over in silence, and what it would store cut or not at all: one line each. */
    List<String> ignored() {
        return look(() -> List.copyOf(ignored));
    }

    /** What the browsers' poll (IncomingCallPoll, searchIncomingCalls) would show as a popup: incoming and still ringing. */
    List<CrmEffect> ringing() {
        return look(() -> rows.stream().filter(row -> row.incoming && row.status.equals(RINGING)).map(row -> effect(Kind.CARD, row))
                .toList());
    }

    /** The records of calls that are over, as far as the product knows. */
    List<CrmEffect> effects() {
        return look(() -> rows.stream().filter(row -> !Set.of(RINGING, IN_PROGRESS).contains(row.status))
                .map(row -> effect(row.incoming && !row.status.equals(COMPLETED) ? Kind.MISSED : Kind.CALL, row)).toList());
    }

    private CrmEffect effect(Kind kind, Row row) {
        return new CrmEffect(kind, row.uuid, row.user, CrmEffect.digits(row.number), row.incoming ? "in" : "out", row.status, row.billed,
                second(row.start), row.recording);
    }

    @Override
    protected Reply answer(Request request) {
        if (!request.path().equals("/modules/PBXManager/callbacks/PBXManager.php")) {
            return new Reply(404, "text/html", "Not Found", Map.of());
        }
        Map<String, String> given = request.parameters();
        if (!SIGNATURE.equals(given.get("vtigersignature"))) {
            ignored.add("wrong vtigersignature");
            return xml("Failure");
        }
        String word = given.getOrDefault("callstatus", "");
        if (!NEEDED.containsKey(word)) {
            ignored.add("callstatus is " + word);
            return Reply.empty(200);
        }
        judge(word, given);
        String uuid = given.getOrDefault("callUUID", "");
        if (uuid.isEmpty() || "null".equals(given.get("causetxt"))) {
            ignored.add(word + " with " + given);
            return Reply.empty(200);
        }
        if (word.equals("StartApp")) {
            startApp(uuid, given);
            return xml("Success");
        }
        // What an unknown callUUID hits is nothing, and the product says nothing.
        List<Row> hit = rows.stream().filter(row -> row.uuid.equals(uuid)).toList();
        if (hit.isEmpty()) {
            ignored.add(word + " for an unknown callUUID: " + uuid);
        }
        hit.forEach(row -> change(row, word, given));
        return Reply.empty(200);
    }

    /** The direction is inferred: outgoing if the caller's number, or the number in the channel's name, is a user's. */
    private void startApp(String uuid, Map<String, String> given) {
        String caller = given.getOrDefault("callerIdNumber", "");
        String device = given.getOrDefault("channel", "").replaceFirst("-.*", "").replaceFirst("^[^/]*/", "");
        String user = users.getOrDefault(caller, users.get(device));
        // What was dialled is in the name, unless the caller's number is that of the trunk.
        String outside = user != null && caller.equals(device) ? given.getOrDefault("callerIdName", "") : caller;
        Row known = multiplies ? null : rows.stream().filter(row -> row.uuid.equals(uuid)).findFirst().orElse(null);
        if (known == null) {
            rows.add(new Row(uuid, user == null, user, outside, given.get("StartTime")));
        } else {
            // The fork sets a known record back, even one of an ended call.
            known.status = RINGING;
        }
    }

    private void change(Row row, String word, Map<String, String> given) {
        switch (word) {
            case "DialAnswer" -> {
                // Of an incoming call the answering user is the second number's, of an outgoing one the first number's.
                row.user = row.incoming ? users.get(given.get("callerid2")) : users.getOrDefault(given.get("callerid1"), row.user);
                row.status = IN_PROGRESS;
            }
            case "EndCall" -> {
                row.start = given.get("starttime");
                row.billed = number(given.get("billableseconds"));
            }
            case "Hangup" -> row.status = hangup(given.getOrDefault("causetxt", ""), given.get("HangupCause"), row.status);
            default -> row.recording = given.get("recordinglink");
        }
    }

    private static String hangup(String text, String cause, String before) {
        return switch (text) {
            case "" -> before;
            case "Normal Clearing" -> "NO ANSWER".equals(cause) ? "no-answer" : COMPLETED;
            case "User busy", "Call Rejected" -> "busy";
            default -> text;
        };
    }

    private void judge(String word, Map<String, String> given) {
        NEEDED.get(word).stream().filter(name -> given.getOrDefault(name, "").isEmpty())
                .forEach(name -> ignored.add(word + " without " + name));
        given.forEach((name, value) -> {
            if (!NEEDED.get(word).contains(name) && !POSSIBLE.get(word).contains(name)
                    && !Set.of("vtigersignature", "callstatus", "callUUID").contains(name)
                    || value.length() > WIDTHS.getOrDefault(name, Integer.MAX_VALUE)
                    || Set.of("StartTime", "starttime", "endtime", "EndTime").contains(name) && second(value) == null
                    || Set.of("duration", "Duration", "billableseconds").contains(name) && number(value) == null) {
                ignored.add(word + " with " + name + "=" + value);
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

    private static Reply xml(String authentication) {
        return new Reply(200, "text/xml; charset=utf-8", "<?xml version=\"1.0\" encoding=\"utf-8\"?><Response><Authentication>"
                + authentication + "</Authentication></Response>", Map.of());
    }
}
