package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Certificates;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.TestCall;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A CRM on the premises, with a certificate that no public authority has signed. */
class CrmTlsIT {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @Test
    void onlyACrmWhoseAuthorityIsKnownGetsCalls() throws Exception {
        String[] known = Certificates.in(folder, "known");
        Certificates.in(folder, "unknown");
        try (FakeCrm trusted = new FakeCrm(Certificates.context(folder, "known", "known"));
                FakeCrm stranger = new FakeCrm(Certificates.context(folder, "unknown", "unknown"))) {
            try (BridgeProcess bridge = bridge(trusted).setting("callbridge.crm.tls-ca", known[0]).start()) {
                TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
                bridge.webhook().accept(call.answered());
                await("the registration").atMost(SOON).until(() -> trusted.has(Kind.CALL, call.legId()));
            }
            try (BridgeProcess bridge = bridge(stranger).setting("callbridge.crm.tls-ca", known[0])
                    // The registration goes after the card of its leg, or without it.
                    .setting("callbridge.calls.card-ttl", "1s").start()) {
                TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
                bridge.webhook().accept(call.answered());
                await("an attempt").atMost(SOON).until(() -> bridge.delivery(call.callId(), call.legId()) != null
                        && !bridge.delivery(call.callId(), call.legId()).path("attempts").isEmpty());
                String said = bridge.delivery(call.callId(), call.legId()).path("attempts").get(0).toString();
                assertTrue(said.contains("certification path"), said);
                assertEquals(List.of(), stranger.requests());
            }
        }
    }

    private static BridgeProcess.Builder bridge(FakeCrm crm) {
        return BridgeProcess.builder().crm(crm).quickRetries();
    }
}
