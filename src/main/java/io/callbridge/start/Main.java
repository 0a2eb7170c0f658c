package io.callbridge.start;

import io.callbridge.platform.Problem;
import io.callbridge.platform.StartException;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.quarkus.main.CamelMainApplication;
import org.apache.camel.util.ObjectHelper;

/**
 * Starts Callbridge, or with {@code --check-routes} only looks at what would be started. A start that is refused ends with one
 * line on the error stream and exit status 1.
 */
@QuarkusMain
public final class Main {

    private Main() {
    }

    public static void main(String... args) {
        // Else the server answers a query with broken percent-encoding itself, with 400 and no reason; SecretGate gives one.
        System.setProperty("vertx.disableURIValidation", "true");
        if (args.length == 0) {
            run(CamelMainApplication.class, args);
        } else if (args[0].equals(CheckRoutes.OPTION) && args.length <= 2) {
            CheckRoutes.prepare(args.length == 2 ? args[1] : null);
            run(CheckRoutes.class, args);
        } else {
            System.err.println("usage: callbridge [" + CheckRoutes.OPTION + " [DIR]]");
            System.exit(2);
        }
    }

    private static void run(Class<? extends QuarkusApplication> application, String... args) {
        Quarkus.run(application, (status, error) -> {
            if (error != null) {
                System.err.println("Callbridge cannot start: " + line(error));
            }
            System.exit(status);
        }, args);
    }

    /** What refused it; else the file and the route, if it is one, and the first cause of all. */
    private static String line(Throwable error) {
        FailedToCreateRouteException failed = ObjectHelper.getException(FailedToCreateRouteException.class, error);
        boolean refused = ObjectHelper.getException(StartException.class, error) != null;
        Problem problem = Problem.of(failed == null ? null : failed.getLocation(), 0, error);
        return (refused || failed == null || failed.getRouteId() == null ? problem
                : new Problem(problem.file(), problem.line(), "route " + failed.getRouteId() + ": " + problem.text())).toString();
    }
}
