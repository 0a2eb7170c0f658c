package io.callbridge.platform;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Map;
import java.util.Optional;

/**
 * The keys of contract section 1 as they stand in the configuration. All texts: {@link Settings} reads them, so that a
 * wrong value is answered with its key and what is allowed.
 */
@ConfigMapping(prefix = "callbridge")
public interface BridgeConfig {

    Map<String, Pbx> pbx();

    Calls calls();

    interface Pbx {
        Optional<String> secret();

        Optional<String> prefix();

        Optional<String> domain();

        Optional<String> country();

        Optional<String> defaultUser();

        Map<String, Extension> extensions();
    }

    interface Extension {
        Optional<String> type();

        Optional<String> user();

        Optional<String> id();
    }

    interface Calls {
        @WithDefault("5s")
        String missedDelay();

        @WithDefault("60m")
        String maxContainerWait();

        @WithDefault("5s")
        String settleDelay();

        @WithDefault("true")
        String missedWithoutContainer();

        @WithDefault("false")
        String suppressMissedIfAnsweredLeg();

        @WithDefault("false")
        String missedNeedsIvrNo();

        @WithDefault("false")
        String forwardedAsOutgoing();

        @WithDefault("15m")
        String maxUnanswered();

        @WithDefault("4h")
        String maxTalk();

        @WithDefault("2m")
        String cardTtl();
    }
}
