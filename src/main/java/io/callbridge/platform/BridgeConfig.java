package io.callbridge.platform;

import io.smallrye.config.ConfigMapping;
import java.util.Map;
import java.util.Optional;

/**
 * The keys of contract section 1 whose names contain names of the installation. All texts: {@link Settings} reads them, so
 * that a wrong value is answered with its key and what is allowed.
 */
@ConfigMapping(prefix = "callbridge")
public interface BridgeConfig {

    Map<String, Pbx> pbx();

    Map<String, Crm> crm();

    interface Pbx {
        Optional<String> secret();

        Optional<String> prefix();

        Optional<String> domain();

        Optional<String> country();

        Optional<String> outsidePrefix();

        Optional<String> defaultUser();

        Optional<String> charset();

        Optional<String> durationUnit();

        Map<String, Extension> extensions();

        Ami ami();
    }

    /** Asterisk's manager interface. */
    interface Ami {
        Optional<String> host();

        Optional<String> port();

        Optional<String> username();

        Optional<String> secret();

        Optional<String> plainLogin();

        Optional<String> tls();

        Optional<String> tlsCa();

        Optional<String> trunks();

        Optional<String> inboundContexts();

        Optional<String> didVariable();

        Optional<String> idPrefix();
    }

    interface Extension {
        Optional<String> type();

        Optional<String> user();

        Optional<String> id();
    }

    /** What all CRMs have in common; keys of one CRM only are its routes'. */
    interface Crm {
        Optional<String> rate();

        Optional<String> burst();

        Optional<String> lookupRate();

        Map<String, Optional<String>> users();

        Optional<String> severalEntities();

        Optional<String> missedTask();
    }
}
