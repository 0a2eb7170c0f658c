package io.callbridge.platform;

import java.util.List;
import java.util.function.UnaryOperator;

/** What {@code callbridge.tracing} may be. */
final class TracingSettings {

    static final String ENDPOINT = "tracing.endpoint";
    static final String PROTOCOL = "tracing.protocol";
    static final String RATIO = "tracing.ratio";

    private TracingSettings() {
    }

    /** Whether there is a collector, and all that is said about it right; what is not, {@link Settings} refuse. */
    static boolean usable(UnaryOperator<String> of) {
        try {
            Settings.checkAddress(ENDPOINT, of.apply("callbridge." + ENDPOINT));
            checkProtocol(of.apply("callbridge." + PROTOCOL));
            checkRatio(of.apply("callbridge." + RATIO));
            return true;
        } catch (StartException none) {
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
