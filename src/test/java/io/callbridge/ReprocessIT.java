package io.callbridge;

import static io.callbridge.support.BridgeProcess.words;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeProcess.RoutesEdit;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.TestCall;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that were decided by a configuration that was mended since are put right once, whatever becomes of the one who does it. */
class ReprocessIT {

    private static final int DROPPED = 20;
    /** A dry run takes time, so that there is some to see one, and to end it. */
    private static final RoutesEdit DELAYED = RoutesEdit.replacing("process-event.camel.yaml", "steps:\n( +)- choice:\n", """
            steps:
            $1- delay:
            $1    constant: "500"
            $1- choice:
            """);

    @AutoClose
    private BridgeProcess bridge;

    @Test
    void callsThatWereDroppedAreRegisteredOnceWhenTheirExtensionIsMapped(@TempDir Path folder) {
        List<TestCall> dropped = IntStream.range(0, DROPPED).mapToObj(i -> TestCall.incoming("120", FakeCrm.IVANOV)).toList();
        TestCall registered = TestCall.incoming("101", FakeCrm.PETROVA);
        // Nobody knows of a replica that was killed before its lease has run out.
        String store = "jdbc:sqlite:" + folder.resolve("callbridge.db");
        try (FakeCrm crm = new FakeCrm()) {
            try (BridgeProcess before = builder(crm, store).start()) {
                dropped.forEach(call -> before.webhook().accept(call.answered()));
                before.webhook().accept(registered.answered());
                dropped.forEach(call -> await().until(() -> before.call(call.callId()).path("decisions").toString().contains("R52")));
                crm.awaitCall(registered);
                await("its confirmation")
                        .until(() -> words(before.delivery(registered.callId(), registered.legId()), "state").equals("delivered"));
            }
            bridge = mended(crm, store).editRoutes(DELAYED).start();
            aJobIsSeenAndStoppedAndEndsWithARestart();
            bridge.close();
            bridge = mended(crm, store).start();
            JsonNode done = bridge.reprocess("?from=2020-01-01");
            assertEquals("false done 21 of 21, missing 20, different 1, created 20, failed 0", result(done));
            List<String> differences = StreamSupport.stream(done.path("differences").spliterator(), false).map(ReprocessIT::difference).toList();
            dropped.forEach(call -> assertTrue(differences.contains("missing " + call.callId() + " call " + call.legId() + " gleb"), differences::toString));
            assertTrue(differences.contains("different " + registered.callId() + " call " + registered.legId() + " anna.new, not anna"), differences::toString);
            dropped.forEach(crm::awaitCall);
            assertEquals("false done 21 of 21, missing 0, different 1, created 0, failed 0", result(bridge.reprocess("?from=2020-01-01")));
            dropped.forEach(call -> assertEquals("gleb", crm.requests(Kind.CALL, call.legId()).get(0).member("user")));
            assertEquals(DROPPED + 1, crm.requests(Kind.CALL).size(), "what is there stays as it is");
            assertTrue(bridge.call(dropped.get(0).callId()).path("decisions").toString().contains("R23"), "the new decision is kept");
            assertEquals(DROPPED, bridge.json("/api/calls?user=gleb").path("calls").size());
        }
    }

    private static BridgeProcess.Builder builder(FakeCrm crm, String store) {
        return BridgeProcess.builder().crm(crm).setting("callbridge.store.url", store).setting("callbridge.store.lease-ms", "3000").quickRetries();
    }

    private static BridgeProcess.Builder mended(FakeCrm crm, String store) {
        return builder(crm, store).setting("callbridge.pbx.main.extensions.120.user", "gleb")
                .setting("callbridge.pbx.main.extensions.101.user", "anna.new");
    }

    private void aJobIsSeenAndStoppedAndEndsWithARestart() {
        assertEquals("{\"state\":\"none\"}", bridge.get("/api/calls/reprocess/last").body());
        assertEquals(404, bridge.get("/api/calls/reprocess/17").statusCode());
        String first = begin();
        await("progress").until(() -> bridge.json(first).path("differences").size() > 1);
        assertEquals("running 21", words(bridge.json(first), "state of"));
        HttpResponse<String> second = bridge.post("/api/calls/reprocess?from=2020-01-01");
        assertEquals(409, second.statusCode(), second.body());
        assertEquals(first, second.headers().firstValue("Location").orElse(null));
        assertEquals(200, bridge.delete(first).statusCode());
        await("its end").until(() -> bridge.json(first).path("state").asText().equals("stopped"));
        assertTrue(bridge.json(first).path("done").asInt() < DROPPED, () -> bridge.get(first).body());

        String next = begin();
        assertEquals(404, bridge.get(first).statusCode());
        await("progress that is kept").until(() -> bridge.json(next).path("done").asInt() > 4);
        bridge.kill();
        bridge.restart();
        await("its end").until(() -> bridge.json(next).path("state").asText().equals("ended"));
        assertTrue(bridge.json(next).path("reason").asText().matches("ended by a restart at [0-9]+ of 21"), () -> bridge.get(next).body());
        assertEquals(next, "/api/calls/reprocess/" + bridge.json("/api/calls/reprocess/last").path("job").asText());
        assertEquals(200, bridge.delete(next).statusCode());
    }

    private String begin() {
        HttpResponse<String> begun = bridge.post("/api/calls/reprocess?from=2020-01-01&dry-run=true", "Authorization", "Bearer " + BridgeProcess.ADMIN_TOKEN,
                "X-Forwarded-Prefix", "/cb");
        assertEquals(202, begun.statusCode(), begun.body());
        String address = begun.headers().firstValue("Location").orElseThrow();
        assertTrue(address.startsWith("/cb/api/"), address);
        return address.substring("/cb".length());
    }

    static String result(JsonNode job) {
        return "%s %s %s of %s, missing %s, different %s, created %s, failed %s".formatted(
                (Object[]) words(job, "dryRun state done of missing different created failed").split(" "));
    }

    static String difference(JsonNode difference) {
        return words(difference, "kind callId operation key request/user")
                + (difference.has("stored") ? ", not " + words(difference, "stored/user") : "");
    }
}
