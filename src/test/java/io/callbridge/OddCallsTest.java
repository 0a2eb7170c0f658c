package io.callbridge;

import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.OddCalls;
import io.callbridge.support.Webhook;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;

/** On SQLite. */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class OddCallsTest extends OddCalls {

    private final BridgeInJvm bridge = BridgeInJvm.started();

    @BeforeEach
    void oneCrm() {
        bridge.use(Map.of("callbridge.crm.active", "rest"));
    }

    @Override
    protected Webhook webhook(String pbx) {
        return pbx.equals("main") ? bridge.webhook() : bridge.webhook(BRANCH_SECRET);
    }

    @Override
    protected FakeCrm crm() {
        return bridge.crm();
    }

    @Override
    protected HttpResponse<String> get(String path) {
        return bridge.get(path);
    }

    @Override
    protected void someTimePasses() {
        bridge.pass(Duration.ofSeconds(20));
    }

    @Override
    protected void muchTimePasses() {
        bridge.pass(Duration.ofMinutes(20));
    }
}
