package io.callbridge.start;

import io.callbridge.asterisk.Asterisks;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.store.Store;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.CamelContext;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;

/** Ready when the routes of every stage and the deliveries run, and the store takes writes. */
@ApplicationScoped
@org.eclipse.microprofile.health.Readiness
public class Readiness implements HealthCheck {

    private static final int WRITE_MS = 1000;

    private final CamelContext context;
    private final Store store;
    private final Dispatcher dispatcher;
    private final Asterisks asterisks;

    public Readiness(CamelContext context, Store store, Dispatcher dispatcher, Asterisks asterisks) {
        this.context = context;
        this.store = store;
        this.dispatcher = dispatcher;
        this.asterisks = asterisks;
    }

    @Override
    public HealthCheckResponse call() {
        HealthCheckResponseBuilder answer = HealthCheckResponse.named("callbridge");
        boolean runsAll = true;
        for (String stage : MissingRoutes.STAGES) {
            boolean runs = context.getRoutes().stream().anyMatch(route -> stage.equals(route.getGroup()))
                    && context.getRoutes().stream().filter(route -> stage.equals(route.getGroup()))
                            .allMatch(route -> context.getRouteController().getRouteStatus(route.getRouteId()).isStarted());
            answer.withData("routes " + stage, runs ? "running" : "not running");
            runsAll &= runs;
        }
        answer.withData("deliveries", dispatcher.runs() ? "running" : "not running");
        runsAll &= dispatcher.runs();
        // Without its Asterisk a PBX may still have a webhook, and what was taken is still delivered.
        asterisks.states().forEach((pbx, state) -> answer.withData("asterisk " + pbx, state));
        boolean writes = writes();
        return answer.withData("store", writes ? "writes" : "does not write").status(runsAll && writes).build();
    }

    private boolean writes() {
        try {
            store.probe().get(WRITE_MS, TimeUnit.MILLISECONDS);
            return true;
        } catch (ExecutionException | TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
