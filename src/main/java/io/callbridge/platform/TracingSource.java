package io.callbridge.platform;

import io.smallrye.config.ConfigSourceContext;
import io.smallrye.config.ConfigSourceFactory;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.PropertiesConfigSource;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.eclipse.microprofile.config.spi.ConfigSource;

/** Gives {@code callbridge.tracing} to OpenTelemetry, which is switched off without {@code callbridge.tracing.endpoint}. */
public class TracingSource implements ConfigSourceFactory {

    static final String ENDPOINT = "tracing.endpoint";
    static final String PROTOCOL = "tracing.protocol";
    static final String RATIO = "tracing.ratio";

    @Override
    public Iterable<ConfigSource> getConfigSources(ConfigSourceContext context) {
        String endpoint = value(context, ENDPOINT);
        String protocol = value(context, PROTOCOL);
        String ratio = value(context, RATIO);
        Map<String, String> properties = endpoint.isEmpty() || !usable(endpoint, protocol, ratio)
                ? Map.of("quarkus.otel.sdk.disabled", "true")
                : Map.of("quarkus.otel.sdk.disabled", "false", "quarkus.otel.exporter.otlp.endpoint", endpoint,
                        "quarkus.otel.exporter.otlp.protocol", protocol, "quarkus.otel.traces.sampler.arg", ratio);
        return List.of(new PropertiesConfigSource(properties, "tracing", 50));
    }

    @Override
    public OptionalInt getPriority() {
        return OptionalInt.of(50);
    }

    private static String value(ConfigSourceContext context, String key) {
        ConfigValue given = context.getValue("callbridge." + key);
        return given == null || given.getValue() == null ? "" : given.getValue();
    }

    private static boolean usable(String endpoint, String protocol, String ratio) {
        try {
            Settings.checkAddress(ENDPOINT, endpoint);
            checkProtocol(protocol);
            checkRatio(ratio);
            return true;
        } catch (StartException saidBySettings) {
            return false;
        }
    }

    static void checkProtocol(String value) {
        if (!List.of("http/protobuf", "grpc").contains(value)) {
            throw Settings.invalid(PROTOCOL, value, "http/protobuf, grpc");
        }
    }

    static void checkRatio(String value) {
        if (!value.matches("0|1|[01]\\.0+|0?\\.[0-9]{1,9}")) {
            throw Settings.invalid(RATIO, value, "a number from 0 to 1, such as 0.1");
        }
    }
}
