package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events that a PBX lost, sent late, or named as it had named others before: what the CRM has in the end is what happened. */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class OddCallsTest {

    private static final String BEGIN = "2025-03-04T09:00:00.000Z";

    private final BridgeInJvm bridge = BridgeInJvm.started();

    @BeforeEach
    void oneCrm() {
        bridge.use(Map.of("callbridge.crm.active", "rest"));
    }

    @Test
    void aCallWhoseHangupIsLostIsMissedAndServedWhenItsTrueEndComes() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        requests(Kind.CARD, call.legId(), 1);
        bridge.pass(Duration.ofMinutes(20));
        JsonNode missed = missed(call, 1);
        assertEquals(List.of("101", "phone", BEGIN, BEGIN), List.of(missed.at("/place/extension").asText(),
                missed.at("/place/type").asText(), missed.path("startedAt").asText(), missed.path("endedAt").asText()));
        bridge.webhook().accept(List.of(call.hangup()));
        assertEquals("2025-03-04T09:00:05.000Z", missed(call, 2).path("servedAt").asText());
        assertEquals(1, requests(Kind.CALL, call.legId(), 1).size());
    }

    @Test
    void aMissedCallIsNeverServedBeforeItBegan() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.givenUp()));
        assertEquals("2025-03-04T09:00:17.000Z", missed(call, 1).path("startedAt").asText());
        bridge.webhook().accept(List.of(call.answer(), call.dialIn()));
        JsonNode served = missed(call, 2);
        assertEquals("2025-03-04T09:00:05.000Z", served.path("servedAt").asText());
        assertFalse(Instant.parse(served.path("servedAt").asText()).isBefore(Instant.parse(served.path("startedAt").asText())),
                () -> "served before it began: " + served);
    }

    @Test
    void callsOfTwoPbxsWithEqualIdsAreDeliveredBoth() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        int times = 0;
        for (Webhook webhook : List.of(bridge.webhook(), bridge.webhook(BridgeInJvm.BRANCH_SECRET))) {
            webhook.accept(List.of(call.dialIn()));
            requests(Kind.CARD, call.legId(), ++times);
            webhook.accept(List.of(call.answer(), call.hangup()));
            requests(Kind.CARD_END, call.legId(), times);
            requests(Kind.CALL, call.legId(), times);
        }
        assertEquals(List.of("anna", "bertha"), requests(Kind.CALL, call.legId(), 2).stream().map(each -> each.member("user")).toList());
        assertEquals(2, bridge.crm().requests(Kind.CARD, call.legId()).size());
        assertEquals(2, bridge.crm().requests(Kind.CARD_END, call.legId()).size());
        for (String pbx : List.of("main", "branch")) {
            JsonNode found = bridge.call(call.callId() + "?pbx=" + pbx);
            assertEquals(List.of(pbx, 3), List.of(found.path("pbx").asText(), found.path("deliveries").size()));
        }
    }

    @Test
    void aCallHoursAfterTheOneWithTheSameIdsIsAnother() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        requests(Kind.CALL, call.legId(), 1);
        bridge.webhook().accept(List.of(hoursLater(call.dialIn())));
        requests(Kind.CARD, call.legId() + "~2", 1);
        bridge.webhook().accept(List.of(hoursLater(call.givenUp())));
        requests(Kind.CARD_END, call.legId() + "~2", 1);
        JsonNode missed = requests(Kind.MISSED, call.callId() + "~2", 1).get(0).body();
        assertEquals("2025-03-04T14:00:00.000Z", missed.path("startedAt").asText());
        bridge.webhook().accept(call.answered().stream().map(OddCallsTest::hoursLater).toList());
        requests(Kind.CALL, call.legId() + "~2", 1);
        assertEquals(1, requests(Kind.CALL, call.legId(), 1).size());
        assertTrue(decisions(call.callId() + "~2").contains("again more than an hour after its call was over"));
    }

    @Test
    void aLegBelongsToTheCallItCameWithLast() {
        TestCall call = TestCall.incoming("102", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        requests(Kind.CARD, call.legId(), 1);
        bridge.webhook().accept(List.of(under("b" + call.callId(), call.answer()), under("b" + call.callId(), call.hangup())));
        CrmRequest registered = requests(Kind.CALL, call.legId(), 1).get(0);
        assertEquals("b" + call.callId(), registered.member("callId"));
        assertEquals(BEGIN, registered.member("startedAt"));
        assertTrue(decisions("b" + call.callId()).contains("it belongs to the call it came with last"));
        assertEquals(404, bridge.get("/api/calls/" + call.callId()).statusCode(), "the other call is none");
        assertEquals(1, requests(Kind.CARD, call.legId(), 1).size());
    }

    private static Map<String, String> hoursLater(Map<String, String> event) {
        Map<String, String> later = new HashMap<>(event);
        later.compute("EventTime", (name, time) -> Long.toString(Long.parseLong(time) + Duration.ofHours(5).toNanos() / 1000));
        return later;
    }

    private static Map<String, String> under(String callId, Map<String, String> event) {
        Map<String, String> other = new HashMap<>(event);
        other.put("CallID", callId);
        return other;
    }

    private String decisions(String callId) {
        return bridge.call(callId).path("decisions").toString();
    }

    /** The missed call as it was told for the n-th time. */
    private JsonNode missed(TestCall call, int times) {
        return requests(Kind.MISSED, call.callId(), times).get(times - 1).body();
    }

    private List<CrmRequest> requests(Kind kind, String id, int times) {
        bridge.pass(Duration.ofSeconds(20));
        List<CrmRequest> requests = bridge.crm().requests(kind, id);
        assertTrue(requests.size() >= times, () -> kind + " " + id + ": " + requests);
        return requests;
    }
}
