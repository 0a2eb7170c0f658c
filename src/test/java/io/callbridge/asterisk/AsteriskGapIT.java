package io.callbridge.asterisk;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCrm;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A call is going on, and for a while nobody listens: what lives on is taken up. What ends meanwhile is lost: AsteriskCallsTest. */
class AsteriskGapIT {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String CALL = "1795400662.2004";
    private static final String LEG = "1795400662.2006";
    /** Milliseconds at which the capture is cut: 101 talks to the caller, the phone 102 rings for a colleague. */
    private static final long CUT = 3000;
    private static final List<String> CHANNELS = List.of(
            "Channel: PJSIP/trunk-000000e5\r\nChannelState: 6\r\nUniqueid: 1795400662.2004\r\nLinkedid: 1795400662.2004\r\nBridgeId: b0bc",
            "Channel: PJSIP/101-000000e6\r\nChannelState: 6\r\nUniqueid: 1795400662.2006\r\nLinkedid: 1795400662.2004\r\nBridgeId: b0bc");

    private final FakeCrm crm = new FakeCrm();
    private final FakeAmi ami = FakeAmi.start("callbridge", "secret of the manager interface");
    private BridgeProcess bridge;

    @BeforeEach
    void theCallIsGoingOn() throws IOException {
        bridge = BridgeProcess.builder().crm(crm).settings(ami.settings("office")).setting("callbridge.pbx.office.country", "US")
                .setting("callbridge.pbx.office.extensions.101.user", "anna").setting("callbridge.ami.reconnect-first-ms", "100").start();
        ami.awaitLogin(1).send(Capture.of("reconnect_midcall").received(0, CUT));
        await("the answer").atMost(SOON).until(() -> bridge.get("/api/calls/" + CALL).statusCode() == 200
                && leg().has("answeredAt"));
    }

    @AfterEach
    void stop() {
        bridge.close();
        ami.close();
        crm.close();
    }

    @Test
    void whereChannelsAreNotListedALegIsUnknownAtOnce() {
        ami.withoutAction("Status").withoutAction("CoreShowChannels").drop();
        await("the registration").atMost(SOON).until(() -> crm.has(Kind.CALL, LEG));
        assertEquals("unknown", crm.requests(Kind.CALL, LEG).get(0).member("result"));
        assertEquals("0", crm.requests(Kind.CALL, LEG).get(0).member("talkSeconds"));
        ami.drop();
        ami.awaitLogin(3);
        crm.awaitQuiet();
        assertEquals(1, crm.requests(Kind.CALL, LEG).size());
        assertEquals(List.of(), crm.requests(Kind.MISSED));
        assertTrue(bridge.call(CALL).path("decisions").toString().contains("does not say which calls live on"), bridge.call(CALL)::toString);
        assertTrue(bridge.output().contains("answers the action CoreShowChannels with 'Invalid/unknown command"), bridge::tail);
    }

    @Test
    @Tag("native")
    void aLegThatLivesOnIsRegisteredOnceAlsoAfterACrash() throws IOException {
        ami.lists(List.of(), CHANNELS);
        bridge.kill();
        bridge.restart();
        ami.awaitLogin(2).send(Capture.of("reconnect_midcall").received(CUT, Long.MAX_VALUE));
        await("the registration").atMost(SOON).until(() -> crm.has(Kind.CALL, LEG));
        CrmRequest call = crm.requests(Kind.CALL, LEG).get(0);
        assertEquals("answered", call.member("result"));
        assertEquals("anna", call.member("user"));
        assertEquals("+12125550110", call.member("did"));
        assertEquals("+12025550143", call.member("number"));
        // Its name comes after the end of the leg.
        await("the recording").atMost(SOON).untilAsserted(() -> assertEquals(
                "in-12125550110-12025550143-20261123-022422-1795400662.2004.wav",
                crm.requests(Kind.CALL, LEG).stream().reduce((one, next) -> next).orElseThrow().member("recordingId")));
        assertEquals(List.of(), crm.requests(Kind.MISSED));
    }

    /** A missing node before its first event is stored. */
    private JsonNode leg() {
        return StreamSupport.stream(bridge.call(CALL).path("legs").spliterator(), false)
                .filter(leg -> leg.path("legId").asText().equals(LEG)).findFirst().orElse(MissingNode.getInstance());
    }
}
