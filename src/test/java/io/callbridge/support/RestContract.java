package io.callbridge.support;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the REST contract says about every request, whatever the call was: a scenario lists only the members it is about,
 * the rest is held here to the letter.
 */
public final class RestContract {

    private static final Pattern TIME = Pattern.compile("\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z");
    private static final Pattern E164 = Pattern.compile("\\+[1-9]\\d{4,14}");
    private static final Set<String> DIRECTIONS = Set.of("in", "out");
    private static final Set<String> PLACES = Set.of("ivr", "queue", "phone", "unknown");
    private static final Set<String> WITHOUT_TALK = Set.of("busy", "no-answer", "cancelled", "failed");
    private static final Set<String> REASONS = Set.of("ended", "answered-elsewhere", "unanswered", "expired");

    private static final Map<CrmRequest.Kind, Set<String>> REQUIRED = Map.of(
            CrmRequest.Kind.CARD, Set.of("callId", "direction", "user", "extension", "at"),
            CrmRequest.Kind.CALL, Set.of("callId", "direction", "result", "user", "extension", "startedAt", "endedAt",
                    "talkSeconds"),
            CrmRequest.Kind.MISSED, Set.of("place", "startedAt", "endedAt"));
    private static final Map<CrmRequest.Kind, Set<String>> OPTIONAL = Map.of(
            CrmRequest.Kind.CARD, Set.of("number", "rawNumber", "did", "entity"),
            CrmRequest.Kind.CALL, Set.of("number", "rawNumber", "did", "answeredAt", "recordingId", "recordingUrl",
                    "entity", "forwardedTo"),
            CrmRequest.Kind.MISSED, Set.of("number", "rawNumber", "did", "user", "entity", "servedAt"));

    private final FakeCrm crm;
    private final boolean cardsNameTheCaller;

    /** The contract towards a CRM that answers every look-up. */
    public RestContract(FakeCrm crm) {
        this(crm, true);
    }

    /**
     * @param cardsNameTheCaller whether cards, too, must have the entity of their number; not so where look-ups fail or are
     *        slow, which a card does not wait for
     */
    public RestContract(FakeCrm crm, boolean cardsNameTheCaller) {
        this.crm = crm;
        this.cardsNameTheCaller = cardsNameTheCaller;
    }

    /** What is wrong with the requests, each one by itself and in their order; empty if nothing is. */
    public List<String> deviations(List<CrmRequest> requests) {
        List<String> found = new ArrayList<>();
        requests.forEach(r -> deviations(r).forEach(d -> found.add(d + ": " + r)));
        found.addAll(orderDeviations(requests));
        return found;
    }

    private List<String> deviations(CrmRequest request) {
        List<String> found = new ArrayList<>();
        if (!("Bearer " + FakeCrm.TOKEN).equals(request.header("Authorization"))) {
            found.add("Authorization is " + request.header("Authorization"));
        }
        switch (request.kind()) {
            case ENTITY -> lookUp(request, found);
            case CARD, CALL, MISSED -> write(request, found);
            case CARD_END -> cardEnd(request, found);
            default -> found.add("no request of the contract");
        }
        return found;
    }

    private static void lookUp(CrmRequest request, List<String> found) {
        String phone = request.query().get("phone");
        if (phone == null || !E164.matcher(phone).matches()) {
            found.add("look-up of something that is not an E.164 number");
        }
    }

    private static void cardEnd(CrmRequest request, List<String> found) {
        lowerCaseId(request, found);
        String reason = request.query().get("reason");
        if (reason == null || !REASONS.contains(reason)) {
            found.add("unknown reason " + reason);
        }
        if ("answered-elsewhere".equals(reason) != request.query().containsKey("answeredBy")) {
            found.add("answeredBy belongs to answered-elsewhere, and to nothing else");
        }
    }

    private void write(CrmRequest request, List<String> found) {
        lowerCaseId(request, found);
        String type = request.header("Content-Type");
        if (type == null || !type.toLowerCase(Locale.ROOT).matches("application/json(; ?charset=utf-8)?")) {
            found.add("Content-Type is " + type);
        }
        JsonNode body = request.body();
        if (body == null || !body.isObject()) {
            found.add("the body is not a JSON object");
            return;
        }
        nulls("", body, found);
        members(request, found);
        numbers(request, found);
        for (String name : List.of("at", "startedAt", "answeredAt", "endedAt", "servedAt")) {
            if (body.has(name) && !TIME.matcher(body.get(name).asText()).matches()) {
                found.add(name + " is no ISO-8601 UTC time with milliseconds");
            }
        }
        inOrder(request, "startedAt", "answeredAt", found);
        inOrder(request, "answeredAt", "endedAt", found);
        inOrder(request, "startedAt", "endedAt", found);
        if (body.has("direction") && !DIRECTIONS.contains(request.member("direction"))) {
            found.add("unknown direction");
        }
        if (request.kind() == CrmRequest.Kind.CALL) {
            call(request, found);
        }
        if (request.kind() == CrmRequest.Kind.MISSED) {
            missed(request, found);
        }
    }

    private static void lowerCaseId(CrmRequest request, List<String> found) {
        if (!request.id().equals(request.id().toLowerCase(Locale.ROOT))) {
            found.add("upper case in the id of the path");
        }
    }

    private static void nulls(String where, JsonNode node, List<String> found) {
        if (node.isNull()) {
            found.add("null instead of leaving out " + where);
        }
        node.fields().forEachRemaining(m -> nulls(where + "/" + m.getKey(), m.getValue(), found));
    }

    private static void members(CrmRequest request, List<String> found) {
        Set<String> required = REQUIRED.get(request.kind());
        Set<String> present = new HashSet<>();
        request.body().fieldNames().forEachRemaining(present::add);
        required.stream().filter(m -> !present.contains(m)).forEach(m -> found.add("lacks " + m));
        present.removeAll(required);
        present.removeAll(OPTIONAL.get(request.kind()));
        present.forEach(m -> found.add("has an unknown member " + m));
        request.body().fields().forEachRemaining(m -> {
            if (m.getValue().isTextual() && m.getValue().asText().isEmpty()) {
                found.add("empty text instead of leaving out " + m.getKey());
            }
        });
    }

    private void numbers(CrmRequest request, List<String> found) {
        String number = request.member("number");
        if (number != null && number.equals(request.member("rawNumber"))) {
            found.add("rawNumber repeats number");
        }
        JsonNode known = crm.entityOf(number);
        JsonNode entity = request.body().get("entity");
        if (entity != null && !entity.equals(known)) {
            found.add("entity is not what the look-up of " + number + " answered");
        }
        if (entity == null && known != null && (cardsNameTheCaller || request.kind() != CrmRequest.Kind.CARD)) {
            found.add("lacks the entity of " + number);
        }
    }

    private static void inOrder(CrmRequest request, String before, String after, List<String> found) {
        String first = request.member(before);
        String second = request.member(after);
        if (first != null && second != null && TIME.matcher(first).matches() && TIME.matcher(second).matches()
                && Instant.parse(first).isAfter(Instant.parse(second))) {
            found.add(before + " is after " + after);
        }
    }

    private static void call(CrmRequest request, List<String> found) {
        String result = request.member("result");
        JsonNode talk = request.body().path("talkSeconds");
        if (!talk.isIntegralNumber() || talk.asLong() < 0) {
            found.add("talkSeconds is no number of seconds");
        }
        if ("answered".equals(result)) {
            if (talk.asLong() < 1) {
                found.add("an answered call without talk");
            }
        } else if (WITHOUT_TALK.contains(result)) {
            if (talk.asLong() != 0) {
                found.add("talk in a call that was not answered");
            }
            for (String name : List.of("answeredAt", "recordingId", "recordingUrl")) {
                if (request.body().has(name)) {
                    found.add(name + " in a call that was not answered");
                }
            }
        } else if (!"unknown".equals(result)) {
            found.add("unknown result " + result);
        }
        if ("in".equals(request.member("direction")) && WITHOUT_TALK.contains(result)) {
            found.add("an incoming call that was not answered is registered");
        }
    }

    private static void missed(CrmRequest request, List<String> found) {
        JsonNode place = request.body().path("place");
        if (!PLACES.contains(place.path("type").asText()) || place.path("extension").asText().isEmpty()) {
            found.add("place without extension or with an unknown type");
        }
        JsonNode responsible = request.body().path("entity").path("responsible");
        if (responsible.isTextual() && !responsible.asText().equals(request.member("user"))) {
            found.add("the entity's responsible is not the missed call's user");
        }
    }

    /** Per leg: card, end of the card, registration. */
    private static List<String> orderDeviations(List<CrmRequest> requests) {
        List<String> found = new ArrayList<>();
        Map<String, CrmRequest.Kind> last = new HashMap<>();
        for (CrmRequest request : requests) {
            if (!Set.of(CrmRequest.Kind.CARD, CrmRequest.Kind.CARD_END, CrmRequest.Kind.CALL).contains(request.kind())) {
                continue;
            }
            CrmRequest.Kind before = last.put(request.id(), request.kind());
            if (before != null && before.compareTo(request.kind()) > 0) {
                found.add(request.kind() + " after " + before + " of the same leg: " + request);
            }
        }
        return found;
    }
}
