package io.callbridge;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.OddCalls;
import io.callbridge.support.Webhook;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;

/** On PostgreSQL, whose SQL moves events between calls too. */
class OddCallsIT extends OddCalls {

    @AutoClose
    private static FakeCrm crm;
    @AutoClose
    private static BridgeProcess bridge;

    @BeforeAll
    static void start() {
        crm = new FakeCrm();
        bridge = BridgeProcess.builder().crm(crm).store(StoreKind.POSTGRESQL).setting("callbridge.calls.max-unanswered", "10s")
                .setting("callbridge.pbx.branch.secret", BRANCH_SECRET)
                .setting("callbridge.pbx.branch.extensions.101.user", "bertha").start();
    }

    @Override
    protected Webhook webhook(String pbx) {
        return pbx.equals("main") ? bridge.webhook() : bridge.webhook(BRANCH_SECRET);
    }

    @Override
    protected FakeCrm crm() {
        return crm;
    }

    @Override
    protected HttpResponse<String> get(String path) {
        return bridge.get(path);
    }

    @Override
    protected void someTimePasses() {
        // By itself, as the test waits.
    }

    @Override
    protected void muchTimePasses() {
        // Ten seconds pass by themselves.
    }
}
