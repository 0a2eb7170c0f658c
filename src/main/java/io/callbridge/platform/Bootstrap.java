package io.callbridge.platform;

import io.callbridge.deliver.Dispatcher;
import io.callbridge.store.Delivery;
import io.callbridge.store.Store;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Route;
import org.apache.camel.StartupListener;
import org.apache.camel.spi.CamelContextCustomizer;
import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

/** The order of the start: configuration, store, routes, deliveries. Whatever is wrong stops it with one line. */
@ApplicationScoped
@Unremovable
@Named("bootstrap")
public class Bootstrap implements CamelContextCustomizer {

    static final List<String> STAGES = List.of("ingest", "process", "deliver", "ops");

    private static final Logger LOG = Logger.getLogger("io.callbridge");

    private final Config config;
    private final Settings settings;
    private final Store store;
    private final Dispatcher dispatcher;
    private final CamelContext context;

    public Bootstrap(Config config, Settings settings, Store store, Dispatcher dispatcher, CamelContext context) {
        this.config = config;
        this.settings = settings;
        this.store = store;
        this.dispatcher = dispatcher;
        this.context = context;
    }

    /** Before the routes are loaded. */
    @Override
    public void configure(CamelContext camelContext) {
        KeyCheck.check(config, camelContext);
        // The first use creates it, and so reads and checks everything.
        settings.crms();
        config.getOptionalValue("callbridge.tcp.port", Integer.class).ifPresent(Bootstrap::checkPort);
        store.open();
        try {
            camelContext.addStartupListener(new StartupListener() {
                @Override
                public void onCamelContextStarted(CamelContext started, boolean alreadyStarted) {
                    // Routes are started after this.
                }

                @Override
                public void onCamelContextFullyStarted(CamelContext started, boolean alreadyStarted) {
                    routesRun();
                }
            });
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** When the route starts it is too late: what is said then is that an address is in use, but not whose setting it is. */
    private static void checkPort(int port) {
        try (ServerSocket socket = new ServerSocket(port)) {
            LOG.debugf("port %d is free", socket.getLocalPort());
        } catch (IOException e) {
            throw Settings.invalid("tcp.port", Integer.toString(port), "a port that can be opened (" + e.getMessage() + ")");
        }
    }

    private void routesRun() {
        List<Route> routes = context.getRoutes();
        if (routes.isEmpty()) {
            throw new StartException("no route loaded from " + config.getConfigValue(RoutesLocation.KEY).getValue()
                    + "; needed are files <stage>-<subject>.camel.yaml");
        }
        for (String stage : STAGES) {
            if (routes.stream().noneMatch(route -> stage.equals(route.getGroup()))) {
                throw new StartException("no route of stage " + stage + " loaded from "
                        + config.getConfigValue(RoutesLocation.KEY).getValue() + "; needed is at least one with group: " + stage);
            }
        }
        checkChannels(routes.stream().map(Route::getEndpoint).toList(), context.getEndpoints(), settings.crms());
        routes.stream().sorted(Comparator.comparing(Route::getRouteId)).forEach(route -> LOG.infof("route %s from %s",
                route.getRouteId(), route.getEndpoint().getEndpointBaseUri()));
        if (settings.pbxs().isEmpty()) {
            LOG.warn("No PBX is configured: set callbridge.pbx.<name>.secret");
        }
        dispatcher.start();
    }

    /**
     * Every {@code direct:} that Java or a route sends to has a route that takes it. Parameters do not count: both ends may
     * have their own.
     *
     * @param consumed endpoints that routes begin with
     * @param used all endpoints
     */
    static void checkChannels(Collection<Endpoint> consumed, Collection<Endpoint> used, List<String> crms) {
        Map<String, String> senders = new LinkedHashMap<>();
        senders.put("direct:process-event", "Callbridge");
        senders.put("direct:deliver-outbox", "Callbridge");
        for (String crm : crms) {
            senders.put("direct:deliver-" + crm + "-" + Delivery.CALL, "callbridge.crm.active names " + crm + " and so");
        }
        used.forEach(endpoint -> senders.putIfAbsent(channel(endpoint), "a route"));
        Set<String> taken = consumed.stream().map(Bootstrap::channel).collect(Collectors.toSet());
        senders.forEach((channel, sender) -> {
            if (channel.startsWith("direct:") && !taken.contains(channel)) {
                throw new StartException(sender + " sends to " + channel
                        + ", but no route consumes it; needed is a route whose from has that uri");
            }
        });
    }

    private static String channel(Endpoint endpoint) {
        return endpoint.getEndpointBaseUri().replace("://", ":");
    }
}
