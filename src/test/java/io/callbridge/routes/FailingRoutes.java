package io.callbridge.routes;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;

/** Routes that do nothing but fail, one for each error configuration. */
final class FailingRoutes implements AutoCloseable {

    private static final String ROUTE = """
            - route:
                id: fails-with-%1$s
                routeConfigurationId: %1$s
                from:
                  uri: direct:fails-with-%1$s
                  steps:
                    - to:
                        uri: direct:broken
            """;

    private final RouteHarness routes;

    FailingRoutes(String... configurations) {
        routes = RouteHarness.of().text(Arrays.stream(configurations).map(ROUTE::formatted).collect(Collectors.joining())).start();
    }

    /** What goes wrong when no answer came that would say why. */
    static Stream<Exception> unanswered() {
        return Stream.of(new ConnectException("refused"), new SocketTimeoutException("slow"), new IOException("reset"),
                new IllegalStateException("a look-up failed"));
    }

    /** Sends {@code "the work"} into the route of a configuration. */
    Exchange fail(String configuration, Exception failure) {
        return routes.fail("direct:broken", failure).send("fails-with-" + configuration, "the work");
    }

    /** What was asked for after the failure. */
    List<String> asked() {
        return routes.asked().stream().filter(name -> !name.equals("direct:broken")).toList();
    }

    RouteHarness.Step step(String name) {
        return routes.step(name);
    }

    @Override
    public void close() {
        routes.close();
    }
}
