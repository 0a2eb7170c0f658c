package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the scenarios do not see of the requests of the REST contract: odd characters, the pace, refusals. */
class DeliverRestRouteTest {

    @AutoClose
    private final FakeCrm crm = new FakeCrm();
    @AutoClose
    private RouteHarness routes = harness("token");

    private RouteHarness harness(String token) {
        return RouteHarness.of("deliver-outbox", "deliver-rest").setting("callbridge.crm.rest.url", crm.url())
                .setting("callbridge.crm.rest.token", token).on("entityLookup.repeatable", exchange -> "{}")
                .start();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            card     | 71101-a1         | ''            | PUT /cards/71101-a1 {} {}
            call     | a%2Fb%20c%3Fd    | ''            | PUT /calls/a%2Fb%20c%3Fd {} {}
            missed   | c1               | ''            | PUT /missed-calls/c1 {} {}
            card-end | 71101-a1         | ''            | DELETE /cards/71101-a1 {reason=unanswered}
            card-end | 71101-a1         | a%26b%3D%2B   | DELETE /cards/71101-a1 {reason=unanswered, answeredBy=a&b=+}
            """)
    void everyEffectIsOneRequestWithinThePace(String operation, String id, String answeredBy, String request) {
        assertNull(routes.send("deliver-rest-" + operation, delivery(operation, id, answeredBy)).getException());
        CrmRequest seen = crm.requests().get(0);
        assertEquals(request, (seen.method() + " " + seen.path() + " " + seen.query() + " " + seen.text()).strip());
        assertEquals("1 1", crm.requests().size() + " " + routes.pace().permits);
    }

    /** Whatever its characters mean to Camel. */
    @ParameterizedTest
    @ValueSource(strings = {"", "a'b", "a\"b", "a}b", "${body}"})
    void theTokenIsABearer(String token) {
        routes.close();
        routes = harness(token);
        routes.ask("deliver-rest-lookup", FakeCrm.IVANOV, Map.of());
        assertEquals(token.isEmpty() ? null : "Bearer " + token, crm.requests().get(0).header("Authorization"));
        assertEquals(1, routes.pace().permits.get());
    }

    /** One request each: of a retry of the client's own the outbox would not know. */
    @ParameterizedTest
    @CsvSource({"400, deadLetter, ", "401, retryLater, 'answer 401, it does not accept the token or password'",
        "403, retryLater, 'answer 403, the token or password lacks rights'", "404, deadLetter, ", "408, retryLater, ", "429, retryLater, ",
        "503, retryLater, ", "302, retryLater, 'answer 302, it is elsewhere'"})
    void aRefusalIsJudged(int status, String recorded, String refusal) {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.status(status).retryAfter(7).body("no"));
        routes.send("deliver-outbox", delivery("call", "c1", ""));
        CrmAnswerException cause = assertInstanceOf(CrmAnswerException.class, routes.step("deliveryResult." + recorded).cause());
        assertEquals(status + " no", cause.status + " " + cause.answer);
        assertEquals(refusal, cause.refusal);
        assertEquals(recorded.equals("retryLater") ? 7_000 : 0, cause.retryAfterMs);
        assertEquals(1, crm.requests().size());
    }

    /** As the dispatcher sends it: whatever goes into a path or a query is encoded. */
    private static Map<String, Object> delivery(String operation, String id, String answeredBy) {
        return new HashMap<>(Map.of("crm", "rest", "operation", operation, "id", id, "number", FakeCrm.IVANOV, "reason",
                operation.equals("card-end") ? "unanswered" : "", "answeredBy", answeredBy));
    }
}
