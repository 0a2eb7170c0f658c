package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The whole address of a webhook. */
class OpsSetupWebhookRouteTest {

    private final AdminRoute route = new AdminRoute("ops-setup-webhook", "setup.webhook");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/setup/pbxs/{pbx}/webhook", "POST");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("main a=b by token");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
