package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.TestConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.Endpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A channel that nobody takes is found at the start, not by the first call; one that only a route sends to: CheckRoutesIT. */
class MissingRoutesTest {

    private static final List<String> PACKAGED = List.of("direct:process-event", "direct:deliver-outbox", "direct:deliver-rest-call",
            "timer:ops-timers");

    private final DefaultCamelContext context = new DefaultCamelContext();

    @ParameterizedTest
    @CsvSource({"direct:process-event, Callbridge", "direct:deliver-outbox, Callbridge", "direct:deliver-rest-call, rest"})
    void aRouteThatJavaSendsToMayNotBeMissing(String missing, String sender) {
        List<String> consumed = new ArrayList<>(PACKAGED);
        consumed.remove(missing);
        assertMissing(consumed, "rest", missing, sender);
    }

    @ParameterizedTest
    @CsvSource({"outbox, direct:deliver-outbox-call", "rest-lookup, direct:deliver-rest-lookup-call", "abacus, direct:deliver-abacus-call"})
    void aCrmWithoutAdapterIsRefused(String crm, String missing) {
        assertMissing(PACKAGED, crm, missing, "callbridge.crm.active");
    }

    @Test
    void parametersDoNotMakeAnotherChannel() {
        List<String> consumed = Stream.concat(PACKAGED.stream().filter(uri -> !uri.equals("direct:deliver-outbox")),
                Stream.of("direct:deliver-outbox?exchangePattern=InOnly", "direct:ops-own?synchronous=true")).toList();
        assertEquals(Map.of(), missing(consumed, List.of("direct:ops-own", "direct:process-event?block=false"), "rest"));
    }

    @ParameterizedTest
    @CsvSource({"file:routes/deliver-outbox.camel.yaml, true", "file:/a/routes/deliver-rest.camel.yaml, true", "routes/deliver-rest-more.camel.yaml, true",
        "classpath:routes/deliver-bitrix24.camel.yaml, false", "file:deliver-restful.camel.yaml, false", "file:routes/ingest-tcp.camel.yaml, false",
        "file:routes/ingest-asterisk.camel.yaml, true", "file:routes/ingest-webhook.camel.yaml, true", "file:routes/process-own.camel.yaml, true"})
    void onlyWhatIsConfiguredIsLoaded(String file, boolean loaded) {
        assertEquals(loaded, RoutesLocation.loads(file, TestConfig.of(Map.of(), Map.of("CALLBRIDGE_PBX_MAIN_AMI_HOST", "pbx.example"))));
    }

    private void assertMissing(List<String> consumed, String crm, String channel, String sender) {
        Map<String, String> missing = missing(consumed, List.of(), crm);
        assertEquals(Set.of(channel), missing.keySet());
        assertTrue(missing.get(channel).contains(sender), missing::toString);
    }

    private Map<String, String> missing(List<String> consumed, List<String> used, String crm) {
        List<Endpoint> begin = consumed.stream().map(context::getEndpoint).toList();
        return MissingRoutes.channels(begin, Stream.concat(begin.stream(), used.stream().map(context::getEndpoint)).toList(), List.of(crm));
    }
}
