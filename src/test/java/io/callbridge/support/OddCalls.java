package io.callbridge.support;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.CrmRequest.Kind;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Events that a PBX lost, sent late, or named as it had named others before: what the CRM has in the end is what happened. */
public abstract class OddCalls {

    /** Of the PBX {@code branch}, whose extension 101 is bertha's. */
    public static final String BRANCH_SECRET = "secret-of-another-pbx";

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String BEGIN = "2025-03-04T09:00:00.000Z";

    protected abstract Webhook webhook(String pbx);

    protected abstract FakeCrm crm();

    protected abstract HttpResponse<String> get(String path);

    /** As long as all delays. */
    protected abstract void someTimePasses();

    /** So long that nobody waits any more for the answer of a call that rings. */
    protected abstract void muchTimePasses();

    @Test
    public void aCallWhoseHangupIsLostIsMissedAndServedWhenItsTrueEndComes() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        webhook("main").accept(List.of(call.dialIn()));
        requests(Kind.CARD, call.legId(), 1);
        muchTimePasses();
        JsonNode missed = missed(call, 1);
        assertEquals(List.of("101", "phone", BEGIN, BEGIN), List.of(missed.at("/place/extension").asText(),
                missed.at("/place/type").asText(), missed.path("startedAt").asText(), missed.path("endedAt").asText()));
        webhook("main").accept(List.of(call.hangup()));
        assertEquals("2025-03-04T09:00:05.000Z", missed(call, 2).path("servedAt").asText());
        assertEquals(1, requests(Kind.CALL, call.legId(), 1).size());
    }

    @Test
    public void aMissedCallIsNeverServedBeforeItBegan() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        webhook("main").accept(List.of(call.givenUp()));
        assertEquals("2025-03-04T09:00:17.000Z", missed(call, 1).path("startedAt").asText());
        webhook("main").accept(List.of(call.answer(), call.dialIn()));
        JsonNode served = missed(call, 2);
        assertEquals("2025-03-04T09:00:05.000Z", served.path("servedAt").asText());
        assertFalse(Instant.parse(served.path("servedAt").asText()).isBefore(Instant.parse(served.path("startedAt").asText())),
                () -> "served before it began: " + served);
    }

    @Test
    public void callsOfTwoPbxsWithEqualIdsAreDeliveredBoth() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        int times = 0;
        for (Webhook webhook : List.of(webhook("main"), webhook("branch"))) {
            webhook.accept(List.of(call.dialIn()));
            requests(Kind.CARD, call.legId(), ++times);
            webhook.accept(List.of(call.answer(), call.hangup()));
            requests(Kind.CARD_END, call.legId(), times);
            requests(Kind.CALL, call.legId(), times);
        }
        assertEquals(List.of("anna", "bertha"), requests(Kind.CALL, call.legId(), 2).stream().map(each -> each.member("user")).toList());
        assertEquals(2, crm().requests(Kind.CARD, call.legId()).size());
        assertEquals(2, crm().requests(Kind.CARD_END, call.legId()).size());
        for (String pbx : List.of("main", "branch")) {
            assertEquals(List.of(pbx, 3), pbxAndDeliveries("/api/calls/" + call.callId() + "?pbx=" + pbx));
        }
    }

    @Test
    public void aCallHoursAfterTheOneWithTheSameIdsIsAnother() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        webhook("main").accept(call.answered());
        requests(Kind.CALL, call.legId(), 1);
        webhook("main").accept(List.of(hoursLater(call.dialIn())));
        requests(Kind.CARD, call.legId() + "~2", 1);
        webhook("main").accept(List.of(hoursLater(call.givenUp())));
        requests(Kind.CARD_END, call.legId() + "~2", 1);
        JsonNode missed = requests(Kind.MISSED, call.callId() + "~2", 1).get(0).body();
        assertEquals("2025-03-04T14:00:00.000Z", missed.path("startedAt").asText());
        webhook("main").accept(call.answered().stream().map(OddCalls::hoursLater).toList());
        requests(Kind.CALL, call.legId() + "~2", 1);
        assertEquals(1, requests(Kind.CALL, call.legId(), 1).size());
        assertTrue(decisions(call.callId() + "~2").contains("again more than an hour after its call was over"));
    }

    @Test
    public void aLegBelongsToTheCallItCameWithLast() {
        TestCall call = TestCall.incoming("102", FakeCrm.IVANOV);
        webhook("main").accept(List.of(call.dialIn()));
        requests(Kind.CARD, call.legId(), 1);
        webhook("main").accept(List.of(under("b" + call.callId(), call.answer()), under("b" + call.callId(), call.hangup())));
        CrmRequest registered = requests(Kind.CALL, call.legId(), 1).get(0);
        assertEquals("b" + call.callId(), registered.member("callId"));
        assertEquals(BEGIN, registered.member("startedAt"));
        assertTrue(decisions("b" + call.callId()).contains("it belongs to the call it came with last"));
        await("the other call is none").atMost(SOON).until(() -> get("/api/calls/" + call.callId()).statusCode() == 404);
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
        return json("/api/calls/" + callId).path("decisions").toString();
    }

    private List<Object> pbxAndDeliveries(String path) {
        JsonNode found = json(path);
        return List.of(found.path("pbx").asText(), found.path("deliveries").size());
    }

    private JsonNode json(String path) {
        return BridgeProcess.explanation(get(path), () -> "");
    }

    /** The missed call as it was told for the n-th time. */
    private JsonNode missed(TestCall call, int times) {
        return requests(Kind.MISSED, call.callId(), times).get(times - 1).body();
    }

    private List<CrmRequest> requests(Kind kind, String id, int times) {
        someTimePasses();
        await(kind + " " + id).atMost(SOON).until(() -> crm().requests(kind, id).size() >= times);
        return crm().requests(kind, id);
    }
}
