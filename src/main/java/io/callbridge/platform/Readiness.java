package io.callbridge.platform;

import io.callbridge.deliver.Dispatcher;
import io.callbridge.store.Store;
import io.callbridge.store.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import org.apache.camel.CamelContext;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;

/** Ready when the routes of every stage and the deliveries run, and the store answers and writes. */
@ApplicationScoped
@org.eclipse.microprofile.health.Readiness
public class Readiness implements HealthCheck {

    private final CamelContext context;
    private final Store store;
    private final Dispatcher dispatcher;

    public Readiness(CamelContext context, Store store, Dispatcher dispatcher) {
        this.context = context;
        this.store = store;
        this.dispatcher = dispatcher;
    }

    @Override
    public HealthCheckResponse call() {
        HealthCheckResponseBuilder answer = HealthCheckResponse.named("callbridge");
        boolean runsAll = true;
        for (String stage : Bootstrap.STAGES) {
            boolean runs = context.getRoutes().stream().anyMatch(route -> stage.equals(route.getGroup()))
                    && context.getRoutes().stream().filter(route -> stage.equals(route.getGroup()))
                            .allMatch(route -> context.getRouteController().getRouteStatus(route.getRouteId()).isStarted());
            answer.withData("routes " + stage, runs ? "running" : "not running");
            runsAll &= runs;
        }
        answer.withData("deliveries", dispatcher.runs() ? "running" : "not running");
        runsAll &= dispatcher.runs();
        try {
            store.read(sql -> sql.first("select 1 from event limit 1", row -> true));
            answer.withData("store", store.writing() ? "answers" : "does not write").status(store.writing() && runsAll);
        } catch (StoreException e) {
            answer.down().withData("store", e.getMessage());
        }
        return answer.build();
    }
}
