package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Certificates;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.TestCall;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** CRMs on the premises, with certificates that no public authority has signed. */
@Tag("native")
class CrmTlsIT {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @Test
    void onlyACrmWhoseAuthorityIsKnownGetsCalls() throws Exception {
        String[] known = Certificates.in(folder, "known");
        Certificates.in(folder, "unknown");
        try (FakeCrm trusted = new FakeCrm(Certificates.context(folder, "known", "known"));
                FakeCrm stranger = new FakeCrm(Certificates.context(folder, "unknown", "unknown"));
                BridgeProcess bridge = BridgeProcess.builder().crm(trusted).quickRetries().setting("callbridge.crm.tls-ca", known[0])
                        .setting("callbridge.crm.active", "rest,vtiger").setting("callbridge.crm.vtiger.url", stranger.url())
                        .setting("callbridge.crm.vtiger.secret", "secret-of-the-tests").start()) {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook().accept(call.answered());
            await("the registration").atMost(SOON).until(() -> trusted.has(Kind.CALL, call.legId()));
            await("an attempt at the stranger's").atMost(SOON).until(() -> said(bridge, call).contains("certification path"));
            assertEquals(List.of(), stranger.requests());
        }
    }

    private static String said(BridgeProcess bridge, TestCall call) {
        JsonNode deliveries = bridge.call(call.callId()).path("deliveries");
        return StreamSupport.stream(deliveries.spliterator(), false).filter(each -> each.path("crm").asText().equals("vtiger"))
                .map(each -> each.path("attempts").toString()).reduce("", String::concat);
    }
}
