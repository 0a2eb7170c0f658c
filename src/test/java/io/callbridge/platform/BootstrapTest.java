package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.Endpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A channel that nobody takes is found at the start, not by the first call. */
class BootstrapTest {

    private static final List<String> PACKAGED = List.of("direct:process-event", "direct:deliver-outbox", "direct:deliver-rest-call",
            "timer:ops-timers");

    private final DefaultCamelContext context = new DefaultCamelContext();

    @ParameterizedTest
    @CsvSource({"direct:process-event, Callbridge", "direct:deliver-outbox, Callbridge", "direct:deliver-rest-call, rest"})
    void aRouteThatJavaSendsToMayNotBeMissing(String missing, String sender) {
        List<String> consumed = new ArrayList<>(PACKAGED);
        consumed.remove(missing);
        assertRefused(consumed, List.of(), "rest", missing, sender);
    }

    @ParameterizedTest
    @CsvSource({"outbox, direct:deliver-outbox-call", "rest-lookup, direct:deliver-rest-lookup-call", "abacus, direct:deliver-abacus-call"})
    void aCrmWithoutAdapterIsRefused(String crm, String missing) {
        assertRefused(PACKAGED, List.of(), crm, missing, "callbridge.crm.active");
    }

    @Test
    void aRouteThatARouteSendsToMayNotBeMissing() {
        assertRefused(PACKAGED, List.of("direct:process-event", "log:said", "direct:nobody?block=false"), "rest", "a route", "direct:nobody,");
    }

    @Test
    void parametersDoNotMakeAnotherChannel() {
        List<String> consumed = Stream.concat(PACKAGED.stream().filter(uri -> !uri.equals("direct:deliver-outbox")),
                Stream.of("direct:deliver-outbox?exchangePattern=InOnly", "direct:ops-own?synchronous=true")).toList();
        assertDoesNotThrow(() -> check(consumed, List.of("direct:ops-own", "direct:process-event?block=false"), "rest"));
    }

    private void assertRefused(List<String> consumed, List<String> used, String crm, String... named) {
        String said = assertThrows(StartException.class, () -> check(consumed, used, crm)).getMessage();
        assertEquals(1, said.lines().count());
        for (String name : named) {
            assertTrue(said.contains(name), () -> "does not name '" + name + "': " + said);
        }
    }

    private void check(List<String> consumed, List<String> used, String crm) {
        List<Endpoint> begin = consumed.stream().map(context::getEndpoint).toList();
        Bootstrap.checkChannels(begin, Stream.concat(begin.stream(), used.stream().map(context::getEndpoint)).toList(), List.of(crm));
    }
}
