package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.process.CardFacts;
import io.callbridge.process.LegFacts;
import io.callbridge.process.LegRepository;
import io.callbridge.process.LegStrategy;
import io.callbridge.process.MissedFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The route tests are worth as much as their facts: these have the names of the beans' facts; and all routes fit together. */
class RouteHarnessTest {

    private static final Path FACTS = Path.of("src/main/java/io/callbridge/process");
    private static final Pattern ROUTE = Pattern.compile("(?m)^- (?:route:\\n    id|templatedRoute:\\n    routeId): (.*)$");
    private static final Pattern FACT = Pattern.compile("facts\\.put\\(\"([A-Za-z]+)\"");

    @Test
    void theFactsHaveTheNamesThatTheBeansGiveThem() throws IOException {
        Set<String> leg = names("LegFacts");
        assertEquals(leg, Facts.leg().keySet());
        leg.addAll(names("CardFacts"));
        assertEquals(leg, Facts.card().keySet());
        assertEquals(names("MissedFacts"), Facts.missed().keySet());
    }

    /** What the single tests cannot see. */
    @Test
    void allRoutesStartTogether() throws IOException {
        Set<String> ids = new TreeSet<>();
        for (String stem : RouteHarness.stems()) {
            ROUTE.matcher(Files.readString(RouteHarness.ROUTES.resolve(stem + ".camel.yaml"))).results().forEach(route -> ids.add(route.group(1)));
        }
        try (RouteHarness all = RouteHarness.of(RouteHarness.stems().stream().filter(stem -> !stem.equals("shared-errors")).toArray(String[]::new))
                .setting("callbridge.tcp.port", "6400").template("ingest-asterisk", "ingest-asterisk",
                        Map.of("pbx", "main", "address", "127.0.0.1:5038")).bean("legRepository", new LegRepository(null))
                .bean("legStrategy", new LegStrategy()).start()) {
            ids.removeAll(all.running());
            ids.remove("shared-refusal");
            assertEquals(Set.of(), ids);
        }
    }

    private static Set<String> names(String bean) throws IOException {
        return FACT.matcher(Files.readString(FACTS.resolve(bean + ".java"))).results().map(fact -> fact.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
