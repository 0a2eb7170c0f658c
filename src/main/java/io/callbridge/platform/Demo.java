package io.callbridge.platform;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.ConfigProvider;

/**
 * {@code callbridge.demo=true}: a demo PBX calls, a demo CRM is told, and no other. Whether a process is a demo is said when it
 * starts, and never by its package.
 */
public final class Demo {

    static final String KEY = "callbridge.demo";
    static final String CRM_URL = "callbridge.crm.rest.url";
    static final String PORT = "quarkus.http.port";
    /** Read only if the demo is asked for: what an installation sets counts more than they do. */
    static final Map<String, String> SETTINGS = settings();

    private static String freePort;

    private Demo() {
    }

    public static boolean asked() {
        return asked(ConfigProvider.getConfig());
    }

    public static boolean asked(Config config) {
        return asked(of(config));
    }

    static boolean asked(UnaryOperator<String> of) {
        return of.apply(KEY).equals("true");
    }

    /** Where it is to be found on this machine. */
    public static String address() {
        return address(of(ConfigProvider.getConfig()));
    }

    private static String address(UnaryOperator<String> of) {
        String host = of.apply("quarkus.http.host");
        return "http://" + (host.isEmpty() || List.of("0.0.0.0", "::").contains(host) ? "localhost" : host.contains(":") ? "[" + host + "]" : host)
                + ":" + (of.apply(PORT).isEmpty() ? "8080" : of.apply(PORT));
    }

    /** The address of its own CRM. */
    static String crm(UnaryOperator<String> of) {
        return address(of) + "/demo-crm";
    }

    /**
     * Its calls are nobody's: no CRM but its own may hear of them. And anybody may use its console, which would tell the secret of a
     * real PBX.
     */
    static void check(Config config, Set<String> pbxs) {
        String active = Settings.text(config, "crm.active");
        if (!active.equals("rest")) {
            throw Settings.invalid("crm.active", active, "rest, since callbridge.demo=true: the demo tells its calls to no CRM but its own");
        }
        String url = Settings.text(config, "crm.rest.url");
        if (!url.equals(crm(of(config)))) {
            throw Settings.invalid("crm.rest.url", Settings.masked(url),
                    "none, since callbridge.demo=true: the demo tells its calls to no CRM but its own");
        }
        if (!pbxs.equals(Set.of("demo"))) {
            throw Settings.invalid("pbx", String.join(", ", new TreeSet<>(pbxs)),
                    "demo alone, since callbridge.demo=true: the console of a demo is open to everybody");
        }
    }

    private static UnaryOperator<String> of(Config config) {
        return key -> config.getOptionalValue(key, String.class).orElse("");
    }

    /** Its PBX and its bridge have to know the port before the server has one. */
    static synchronized String freePort() {
        if (freePort == null) {
            try (ServerSocket socket = new ServerSocket(0)) {
                freePort = Integer.toString(socket.getLocalPort());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return freePort;
    }

    private static Map<String, String> settings() {
        try (InputStream in = Demo.class.getResourceAsStream("/demo/demo.properties")) {
            Properties settings = new Properties();
            settings.load(in);
            return settings.stringPropertyNames().stream().collect(Collectors.toUnmodifiableMap(key -> key, settings::getProperty));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
