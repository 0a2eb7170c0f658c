package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The judge of the black-box tests is judged: it must accept what is right and find every way of being wrong. */
class ScenarioVerdictTest {

    private static final String RIGHT = """
            PUT /cards/71101-baab834ebaab834ebaab834ebaab834e WHO,"at":"2025-03-04T09:00:00.000Z"}
            DELETE /cards/71101-baab834ebaab834ebaab834ebaab834e?reason=ended
            PUT /calls/71101-baab834ebaab834ebaab834ebaab834e WHO,"result":"answered",\
            "startedAt":"2025-03-04T09:00:00.000Z","answeredAt":"2025-03-04T09:00:10.120Z",\
            "endedAt":"2025-03-04T09:01:33.731Z","talkSeconds":83,"recordingId":"71101-f79b3a3ff79b3a3ff79b3a3ff79b3a3f"}
            """.replace("WHO", """
            {"callId":"c1bf41d8c1bf41d8c1bf41d8c1bf41d8","direction":"in","user":"anna","extension":"101","number":"+79000000010",\
            "did":"+74950000001","entity":{"id":"ivanov","type":"contact","name":"Ivanov","url":"http://crm.example/contacts/ivanov",\
            "responsible":"anna"}""");

    @AutoClose
    private final FakeCrm crm = new FakeCrm();

    @Test
    void whatS01ExpectsIsAcceptedAndNothingAtAllIsMissingThreeTimes() {
        assertEquals(List.of(), faults(RIGHT));
        assertEquals(3, faults("").size());
        assertTrue(new RestContract(crm).deviations(List.of(new CrmRequest("GET", "/entities", "phone=%2B79000000010", Map.of(), "")))
                .toString().contains("Authorization is null"));
        assertTrue(Scenario.wanted().size() >= 57);
    }

    /** The fault that is found where this becomes that. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            did is                         | +7495             | +7496
            talkSeconds is 84              | :83               | :84
            lacks the entity               | "entity":         | "other":
            null instead                   | "recordingId":    | "recordingUrl":null,"recordingId":
            empty text                     | "did":"+74950000001" | "did":""
            no ISO-8601                    | 09:00:00.000Z     | 09:00:00Z
            times out of their order        | 09:00:10          | 09:59:10
            in a call that was not answered | "answered"       | "busy"
            lacks user                     | "user":"anna",    | ``
            reason is unanswered           | reason=ended      | reason=unanswered
            answeredBy belongs             | reason=ended      | reason=ended&answeredBy=103
            a card has a body              | reason=ended      | reason=ended {}
            written 2 times                | DELETE            | PUT /calls/71101-baab834ebaab834ebaab834ebaab834e {}\\nDELETE
            after CALL of the same leg     | DELETE            | PUT /calls/71101-baab834ebaab834ebaab834ebaab834e {}\\nDELETE
            not expected                   | DELETE            | PUT /missed-calls/c1bf41d8c1bf41d8c1bf41d8c1bf41d8 {}\\nDELETE
            no request of the contract     | DELETE            | POST
            """)
    void everyKindOfFaultIsFound(String fault, String right, String wrong) {
        List<String> faults = faults(RIGHT.replace(right, wrong.translateEscapes()));
        assertTrue(faults.stream().anyMatch(f -> f.contains(fault)), () -> "'" + fault + "' is not among " + faults);
    }

    private List<String> faults(String received) {
        List<CrmRequest> requests = received.lines().map(line -> line.split("[ ?]", 4)).map(part -> part[0].equals("DELETE")
                ? new CrmRequest(part[0], part[1], part[2], headers(part[0]), part.length > 3 ? part[3] : "")
                : new CrmRequest(part[0], part[1], null, headers(part[0]), part[2])).toList();
        List<String> faults = new ArrayList<>(new ScenarioPlay.Verdict(Scenario.of("S01"), true).differences(requests));
        faults.addAll(new RestContract(crm).deviations(requests));
        return faults;
    }

    private static Map<String, List<String>> headers(String method) {
        List<String> token = List.of("Bearer " + FakeCrm.TOKEN);
        return method.equals("DELETE") ? Map.of("Authorization", token)
                : Map.of("Authorization", token, "Content-Type", List.of("application/json"));
    }
}
