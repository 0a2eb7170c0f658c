package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.ScenarioVerdict.Comparison;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The judge of the black-box tests is judged: it must accept what is right and find every way of being wrong. */
class ScenarioVerdictTest {

    private static final String LEG = "71101-baab834ebaab834ebaab834ebaab834e";
    private static final String CALL = "c1bf41d8c1bf41d8c1bf41d8c1bf41d8";
    private static final String ENTITY = "{\"id\":\"ivanov\",\"type\":\"contact\",\"name\":\"Ivanov\","
            + "\"url\":\"http://crm.example/contacts/ivanov\",\"responsible\":\"anna\"}";
    private static final String WHO = "\"callId\":\"" + CALL + "\",\"direction\":\"in\",\"user\":\"anna\","
            + "\"extension\":\"101\",\"number\":\"+79000000010\",\"did\":\"+74950000001\",\"entity\":" + ENTITY;
    private static final String CARD = "{" + WHO + ",\"at\":\"2025-03-04T09:00:00.000Z\"}";
    private static final String REGISTRATION = "{" + WHO + ",\"result\":\"answered\","
            + "\"startedAt\":\"2025-03-04T09:00:00.000Z\",\"answeredAt\":\"2025-03-04T09:00:10.120Z\","
            + "\"endedAt\":\"2025-03-04T09:01:33.731Z\",\"talkSeconds\":83,"
            + "\"recordingId\":\"71101-f79b3a3ff79b3a3ff79b3a3ff79b3a3f\"}";

    private final List<CrmRequest> requests = new ArrayList<>();
    private FakeCrm crm;

    @BeforeEach
    void start() {
        crm = new FakeCrm();
    }

    @AfterEach
    void stop() {
        crm.close();
    }

    @Test
    void whatS01ExpectsIsAccepted() {
        all();
        assertEquals(List.of(), faults());
    }

    @Test
    void nothingAtAllIsMissingThreeTimes() {
        assertEquals(3, faults().size(), faults()::toString);
    }

    @Test
    void everyKindOfFaultIsFound() {
        assertFault("did is", CARD.replace("+7495", "+7496"), REGISTRATION);
        assertFault("talkSeconds is 84", CARD, REGISTRATION.replace(":83", ":84"));
        assertFault("talkSeconds is \"83\"", CARD, REGISTRATION.replace(":83", ":\"83\""));
        assertFault("lacks the entity", CARD.replace(",\"entity\":" + ENTITY, ""), REGISTRATION);
        assertFault("null instead", CARD, REGISTRATION.replaceFirst("}$", ",\"recordingUrl\":null}"));
        assertFault("unknown member", CARD, REGISTRATION.replaceFirst("}$", ",\"mood\":\"good\"}"));
        assertFault("rawNumber repeats", CARD.replaceFirst("}$", ",\"rawNumber\":\"+79000000010\"}"), REGISTRATION);
        assertFault("no ISO-8601", CARD.replace(".000Z", "Z"), REGISTRATION);
        assertFault("answeredAt is after endedAt", CARD, REGISTRATION.replace("09:00:10", "09:59:10"));
        assertFault("in a call that was not answered", CARD, REGISTRATION.replace("\"answered\"", "\"busy\""));
        assertFault("unknown result", CARD, REGISTRATION.replace("\"answered\"", "\"fine\""));
        assertFault("lacks user", CARD.replace("\"user\":\"anna\",", ""), REGISTRATION);
    }

    @Test
    void whatComesTwiceTooMuchOrTooLateIsFound() {
        all();
        put("calls/" + LEG, REGISTRATION);
        assertFault("written 2 times");
        put("missed-calls/" + CALL, "{}");
        assertFault("not expected");
        requests.clear();
        put("calls/" + LEG, REGISTRATION);
        put("cards/" + LEG, CARD);
        end("answered-elsewhere", "103");
        assertFault("CARD after CALL");
        assertFault("reason is answered-elsewhere");
    }

    @Test
    void anIdInUpperCaseAndAMissingTokenAreFound() {
        requests.add(new CrmRequest("PUT", "/calls/" + LEG.toUpperCase(Locale.ROOT), null,
                Map.of("Content-Type", List.of("application/json")), REGISTRATION));
        assertFault("upper case");
        assertFault("Authorization is null");
    }

    @Test
    void everyScenarioCanBeReadAndHasEventsAndIds() {
        List<Scenario> all = Scenario.all();
        assertTrue(all.size() >= 57, () -> all.size() + " scenarios");
        all.forEach(s -> assertTrue(!s.events().isEmpty(), s.id()));
        assertTrue(Scenario.of("S01").ids().contains(LEG));
    }

    private void all() {
        put("cards/" + LEG, CARD);
        end("ended", null);
        put("calls/" + LEG, REGISTRATION);
    }

    private void assertFault(String fault, String card, String registration) {
        requests.clear();
        put("cards/" + LEG, card);
        end("ended", null);
        put("calls/" + LEG, registration);
        assertFault(fault);
    }

    private void assertFault(String fault) {
        assertTrue(faults().stream().anyMatch(f -> f.contains(fault)), () -> "'" + fault + "' is not among " + faults());
    }

    private List<String> faults() {
        List<String> faults = new ArrayList<>(
                new ScenarioVerdict(Scenario.of("S01"), Comparison.EVERYTHING).differences(requests));
        faults.addAll(new RestContract(crm).deviations(requests));
        return faults;
    }

    private void put(String path, String body) {
        requests.add(new CrmRequest("PUT", "/" + path, null, headers(), body));
    }

    private void end(String reason, String answeredBy) {
        requests.add(new CrmRequest("DELETE", "/cards/" + LEG,
                "reason=" + reason + (answeredBy == null ? "" : "&answeredBy=" + answeredBy), headers(), ""));
    }

    private static Map<String, List<String>> headers() {
        return Map.of("Authorization", List.of("Bearer " + FakeCrm.TOKEN), "Content-Type", List.of("application/json"));
    }
}
