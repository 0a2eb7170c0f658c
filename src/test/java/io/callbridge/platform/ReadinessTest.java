package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.asterisk.Asterisks;
import io.callbridge.deliver.CrmGates;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.store.Store;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.Map;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponse.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ready means: what the PBX sends now can be stored and processed. */
class ReadinessTest {

    @TempDir
    private Path folder;

    @Test
    void aStoreThatTakesNoWritesIsNotReady() throws Exception {
        String url = "jdbc:sqlite:" + folder.resolve("callbridge.db");
        Store store = TestStore.of(url);
        try (DefaultCamelContext context = routes(); Connection other = DriverManager.getConnection(url)) {
            Readiness readiness = new Readiness(context, store, deliveries(), new Asterisks(null, null, null));
            assertStatus(Status.DOWN, "does not write", readiness.call());
            store.open();
            assertStatus(Status.UP, "writes", readiness.call());
            other.createStatement().execute("begin immediate");
            assertStatus(Status.DOWN, "does not write", readiness.call());
            other.createStatement().execute("rollback");
            assertStatus(Status.UP, "writes", readiness.call());
        }
    }

    private static void assertStatus(Status status, String store, HealthCheckResponse answer) {
        assertEquals(store, answer.getData().orElseThrow().get("store"));
        assertEquals(status, answer.getStatus());
    }

    private static Dispatcher deliveries() {
        Settings settings = TestConfig.settings(TestConfig.of(Map.of(), Map.of()));
        return new Dispatcher(null, null, null, new CrmGates(settings, new SimpleMeterRegistry()), null, null, null, settings) {
            @Override
            public boolean runs() {
                return true;
            }
        };
    }

    private static DefaultCamelContext routes() throws Exception {
        DefaultCamelContext context = new DefaultCamelContext();
        for (String stage : MissingRoutes.STAGES) {
            context.addRoutes(new RouteBuilder() {
                @Override
                public void configure() {
                    from("direct:" + stage).group(stage).to("log:" + stage);
                }
            });
        }
        context.start();
        return context;
    }
}
