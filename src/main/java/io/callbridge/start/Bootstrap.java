package io.callbridge.start;

import io.callbridge.admin.AdminToken;
import io.callbridge.asterisk.Asterisks;
import io.callbridge.deliver.CrmRequests;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.platform.Demo;
import io.callbridge.platform.KeyCheck;
import io.callbridge.platform.Problem;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StartException;
import io.callbridge.store.Store;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Named;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.StartupListener;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.quarkus.main.CamelMain;
import org.apache.camel.quarkus.main.events.AfterConfigure;
import org.apache.camel.quarkus.main.events.BeforeConfigure;
import org.apache.camel.spi.CamelContextCustomizer;
import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

/** The order of the start: configuration, store, routes, deliveries. Whatever is wrong stops it with one line. */
@ApplicationScoped
@Unremovable
@Named("bootstrap")
public class Bootstrap implements CamelContextCustomizer {

    private static final Logger LOG = Logger.getLogger("io.callbridge");

    private final Config config;
    private final Settings settings;
    private final Store store;
    private final AdminToken token;
    private final Dispatcher dispatcher;
    private final CrmRequests requests;
    private final Asterisks asterisks;
    private final CamelContext context;

    public Bootstrap(Config config, Settings settings, Store store, AdminToken token, Dispatcher dispatcher,
            CrmRequests requests, Asterisks asterisks, CamelContext context) {
        this.config = config;
        this.settings = settings;
        this.store = store;
        this.token = token;
        this.dispatcher = dispatcher;
        this.requests = requests;
        this.asterisks = asterisks;
        this.context = context;
    }

    /** Before Camel looks into the files of routes. */
    void leaveIdleFiles(@Observes BeforeConfigure event) {
        ((CamelMain) event.getMain()).getMainConfigurationProperties().setRoutesExcludePattern(RouteFile.texts(config, context).keySet()
                .stream().filter(location -> !RoutesLocation.loads(location, config)).collect(Collectors.joining(",")));
    }

    /** Their template is loaded, and Camel begins to build routes after this. */
    void addRoutesOfAsterisks(@Observes AfterConfigure event) {
        if (CheckRoutes.starts(config)) {
            asterisks.addRoutes(context);
        }
    }

    /** Before the routes are loaded. */
    @Override
    public void configure(CamelContext camelContext) {
        if (!CheckRoutes.starts(config)) {
            return;
        }
        RouteInspector.of(camelContext);
        KeyCheck.check(config, RouteFile.texts(config, camelContext).values());
        RouteVariables variables = new RouteVariables();
        RouteFile.texts(config, camelContext).forEach(variables::add);
        variables.problems().stream().filter(problem -> RoutesLocation.loads(problem.file(), config)).forEach(Bootstrap::refuse);
        // The first use creates the settings, and so reads and checks everything.
        camelContext.setSSLContextParameters(settings.crmTls());
        requests.follow(camelContext);
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
        MissingRoutes.problems(routes, (ModelCamelContext) context, settings.crms(), config.getConfigValue(RoutesLocation.KEY).getValue(),
                Set.of()).forEach(Bootstrap::refuse);
        routes.stream().sorted(Comparator.comparing(Route::getRouteId)).forEach(route -> LOG.infof("route %s from %s",
                route.getRouteId(), route.getEndpoint().getEndpointBaseUri()));
        if (settings.pbxs().isEmpty()) {
            LOG.warn("No PBX is configured: set callbridge.pbx.<name>.secret");
        }
        // Told once: not before a start that is refused.
        token.open();
        dispatcher.start();
        if (Demo.asked(config)) {
            LOG.infof("This is a demo, its calls are invented and nobody else's CRM hears of them: open %s/, or %s/demo for the CRM",
                    Demo.address(), Demo.address());
        }
    }

    private static void refuse(Problem problem) {
        throw new StartException(problem);
    }
}
