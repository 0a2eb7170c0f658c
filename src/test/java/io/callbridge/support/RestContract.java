package io.callbridge.support;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.CrmRequest.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the REST contract says about every request, whatever the call was: a scenario lists only the members it is about,
 * the rest is held here to the letter.
 *
 * @param cardsNameTheCaller whether cards, too, must have the entity of their number; not so where look-ups fail or are
 *        slow, which a card does not wait for
 */
public record RestContract(FakeCrm crm, boolean cardsNameTheCaller) {

    private static final Pattern TIME = Pattern.compile("\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z");
    private static final String E164 = "\\+[1-9]\\d{4,14}";
    private static final Set<String> WITHOUT_TALK = Set.of("busy", "no-answer", "cancelled", "failed");

    private static final Map<Kind, Set<String>> REQUIRED = Map.of(
            Kind.CARD, Set.of("callId", "direction", "user", "extension", "at"),
            Kind.CALL, Set.of("callId", "direction", "result", "user", "extension", "startedAt", "endedAt", "talkSeconds"),
            Kind.MISSED, Set.of("place", "startedAt", "endedAt"));
    private static final Map<Kind, Set<String>> OPTIONAL = Map.of(
            Kind.CARD, Set.of("number", "rawNumber", "did", "entity"),
            Kind.CALL, Set.of("number", "rawNumber", "did", "answeredAt", "recordingId", "recordingUrl", "entity", "forwardedTo"),
            Kind.MISSED, Set.of("number", "rawNumber", "did", "user", "entity", "servedAt"));

    /** The contract towards a CRM that answers every look-up. */
    public RestContract(FakeCrm crm) {
        this(crm, true);
    }

    /** Faults of one request. */
    private record Faults(CrmRequest request, List<String> found) {

        private void unless(boolean right, String fault) {
            if (!right) {
                found.add(fault + ": " + request);
            }
        }
    }

    /** What is wrong with the requests, each one by itself and in their order; empty if nothing is. */
    public List<String> deviations(List<CrmRequest> requests) {
        List<String> found = new ArrayList<>();
        Map<String, Kind> last = new HashMap<>();
        for (CrmRequest request : requests) {
            Faults faults = new Faults(request, found);
            faults.unless(("Bearer " + FakeCrm.TOKEN).equals(request.header("Authorization")),
                    "Authorization is " + request.header("Authorization"));
            switch (request.kind()) {
                case ENTITY -> faults.unless(request.query().getOrDefault("phone", "").matches(E164),
                        "look-up of something that is not an E.164 number");
                case CARD, CALL, MISSED -> write(request, faults);
                case CARD_END -> cardEnd(request, faults);
                default -> faults.unless(false, "no request of the contract");
            }
            faults.unless(request.kind() == Kind.ENTITY || !request.id().isEmpty(), "no id in the path");
            // Per leg: card, end of the card, registration.
            if (Set.of(Kind.CARD, Kind.CARD_END, Kind.CALL).contains(request.kind())) {
                Kind before = last.put(request.id(), request.kind());
                faults.unless(before == null || before.compareTo(request.kind()) <= 0,
                        request.kind() + " after " + before + " of the same leg");
            }
        }
        return found;
    }

    private static void cardEnd(CrmRequest request, Faults faults) {
        lowerCaseId(request, faults);
        String reason = request.query().getOrDefault("reason", "");
        faults.unless(reason.matches("ended|answered-elsewhere|unanswered|expired"), "unknown reason " + reason);
        faults.unless("answered-elsewhere".equals(reason) == request.query().containsKey("answeredBy"),
                "answeredBy belongs to answered-elsewhere, and to nothing else");
        faults.unless(request.text().isEmpty(), "the end of a card has a body");
    }

    private void write(CrmRequest request, Faults faults) {
        lowerCaseId(request, faults);
        String type = String.valueOf(request.header("Content-Type")).toLowerCase(Locale.ROOT);
        faults.unless(type.matches("application/json(; ?charset=utf-8)?"), "Content-Type is " + type);
        JsonNode body = request.body();
        if (body == null || !body.isObject()) {
            faults.unless(false, "the body is not a JSON object");
            return;
        }
        members(request, faults);
        numbers(request, faults);
        for (String name : List.of("at", "startedAt", "answeredAt", "endedAt", "servedAt")) {
            faults.unless(!body.has(name) || TIME.matcher(body.get(name).asText()).matches(),
                    name + " is no ISO-8601 UTC time with milliseconds");
        }
        List<String> times = Stream.of("startedAt", "answeredAt", "endedAt").map(name -> body.path(name).asText())
                .filter(time -> TIME.matcher(time).matches()).toList();
        faults.unless(times.equals(times.stream().sorted().toList()), "times out of their order");
        faults.unless(!body.has("direction") || request.member("direction").matches("in|out"), "unknown direction");
        if (request.kind() == Kind.CALL) {
            call(request, faults);
        } else if (request.kind() == Kind.MISSED) {
            JsonNode place = body.path("place");
            faults.unless(place.path("type").asText().matches("ivr|queue|phone|unknown") && !place.path("extension").asText().isEmpty(),
                    "place without extension or with an unknown type");
            JsonNode responsible = body.at("/entity/responsible");
            faults.unless(!responsible.isTextual() || responsible.asText().equals(request.member("user")),
                    "the entity's responsible is not the missed call's user");
        }
    }

    private static void lowerCaseId(CrmRequest request, Faults faults) {
        faults.unless(request.id().equals(request.id().toLowerCase(Locale.ROOT)), "upper case in the id of the path");
    }

    private static void members(CrmRequest request, Faults faults) {
        Set<String> present = new TreeSet<>();
        request.body().fieldNames().forEachRemaining(present::add);
        for (String member : REQUIRED.get(request.kind())) {
            faults.unless(present.remove(member), "lacks " + member);
        }
        present.removeAll(OPTIONAL.get(request.kind()));
        faults.unless(present.isEmpty(), "has unknown members " + present);
        request.body().fields().forEachRemaining(m -> faults.unless(!m.getValue().isTextual() || !m.getValue().asText().isEmpty(),
                "empty text instead of leaving out " + m.getKey()));
        faults.unless(!request.body().toString().matches(".*[:\\[,]null[,}\\]].*"), "null instead of leaving out");
    }

    private void numbers(CrmRequest request, Faults faults) {
        String number = request.member("number");
        faults.unless(number == null || !number.equals(request.member("rawNumber")), "rawNumber repeats number");
        JsonNode known = crm.entityOf(number);
        JsonNode entity = request.body().get("entity");
        faults.unless(entity == null || entity.equals(known), "entity is not what the look-up of " + number + " answered");
        faults.unless(entity != null || known == null || !cardsNameTheCaller && request.kind() == Kind.CARD,
                "lacks the entity of " + number);
    }

    private static void call(CrmRequest request, Faults faults) {
        String result = String.valueOf(request.member("result"));
        JsonNode talk = request.body().path("talkSeconds");
        faults.unless(talk.isIntegralNumber() && talk.asLong() >= 0, "talkSeconds is no number of seconds");
        if (WITHOUT_TALK.contains(result)) {
            faults.unless(talk.asLong() == 0, "talk in a call that was not answered");
            for (String name : List.of("answeredAt", "recordingId", "recordingUrl")) {
                faults.unless(!request.body().has(name), name + " in a call that was not answered");
            }
            faults.unless(!"in".equals(request.member("direction")), "an incoming call that was not answered is registered");
        } else {
            faults.unless(result.matches("answered|unknown"), "unknown result " + result);
            faults.unless(!result.equals("answered") || talk.asLong() >= 1, "an answered call without talk");
        }
    }
}
