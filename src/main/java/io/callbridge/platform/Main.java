package io.callbridge.platform;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import org.apache.camel.quarkus.main.CamelMainApplication;

/** Starts Callbridge; a start that is refused ends with one line on the error stream and exit status 1. */
@QuarkusMain
public final class Main {

    private Main() {
    }

    public static void main(String... args) {
        // Else the server answers a query with broken percent-encoding itself, with 400 and no reason; SecretGate gives one.
        System.setProperty("vertx.disableURIValidation", "true");
        Quarkus.run(CamelMainApplication.class, (status, error) -> {
            if (error != null) {
                System.err.println("Callbridge cannot start: " + Refusal.line(error));
            }
            System.exit(status);
        }, args);
    }
}
