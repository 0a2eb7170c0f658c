package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.admin.CallList;
import io.callbridge.admin.DeliveryList;
import io.callbridge.admin.DeliveryRepair;
import io.callbridge.admin.Explanation;
import io.callbridge.admin.ReprocessRequest;
import io.callbridge.asterisk.AsteriskReader;
import io.callbridge.deliver.CrmProbe;
import io.callbridge.deliver.CrmRate;
import io.callbridge.deliver.DeliveryMemory;
import io.callbridge.deliver.DeliveryResult;
import io.callbridge.deliver.EntityLookup;
import io.callbridge.ingest.EventStore;
import io.callbridge.ingest.TcpReader;
import io.callbridge.ingest.WebhookReader;
import io.callbridge.process.CallLoader;
import io.callbridge.process.CardFacts;
import io.callbridge.process.EffectCollector;
import io.callbridge.process.LegFacts;
import io.callbridge.process.LegRepository;
import io.callbridge.process.LegStrategy;
import io.callbridge.process.MissedFacts;
import io.callbridge.process.Recovery;
import io.callbridge.process.Reprocess;
import io.callbridge.store.Retention;
import jakarta.inject.Named;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The route tests are worth as much as their stand-ins: these are like the beans, and all routes fit together. */
class RouteHarnessTest {

    private static final Path FACTS = Path.of("src/main/java/io/callbridge/process");
    private static final Pattern FACT = Pattern.compile("facts\\.put\\(\"([A-Za-z]+)\"");
    private static final List<Class<?>> BEANS = List.of(AsteriskReader.class, CallList.class, CallLoader.class, CardFacts.class, CrmProbe.class, CrmRate.class, DeliveryList.class,
            DeliveryMemory.class, DeliveryRepair.class, DeliveryResult.class, EffectCollector.class, EntityLookup.class, EventStore.class, Explanation.class,
            LegFacts.class, MissedFacts.class, Recovery.class, Reprocess.class, ReprocessRequest.class, Retention.class,
            TcpReader.class, WebhookReader.class);

    @TestFactory
    Stream<DynamicTest> everyStandInHasTheMethodsOfItsBean() {
        Map<String, Object> standIns = StandIns.all(null);
        return BEANS.stream().map(bean -> DynamicTest.dynamicTest(bean.getSimpleName(), () -> assertEquals(methods(bean),
                methods(standIns.get(bean.getAnnotation(Named.class).value()).getClass()))));
    }

    @Test
    void theFactsHaveTheNamesThatTheBeansGiveThem() throws IOException {
        Set<String> leg = names("LegFacts");
        assertEquals(leg, Facts.leg().keySet());
        leg.addAll(names("CardFacts"));
        assertEquals(leg, Facts.card().keySet());
        assertEquals(names("MissedFacts"), Facts.missed().keySet());
    }

    /** What the single tests cannot see: that the files fit together. */
    @Test
    void allRoutesStartTogether() {
        Set<String> ids = RouteHarness.ids();
        String[] stems = Stream.concat(ids.stream().filter(id -> !id.startsWith("deliver-") && !id.matches(".*-(errors|run|look)")),
                RouteHarness.stems().stream().filter(stem -> stem.startsWith("deliver-"))).toArray(String[]::new);
        try (RouteHarness all = RouteHarness.of(stems)
                .setting("callbridge.tcp.port", "6400").template("ingest-asterisk", "ingest-asterisk",
                        Map.of("pbx", "main", "address", "127.0.0.1:5038")).bean("legRepository", new LegRepository(null))
                .bean("legStrategy", new LegStrategy()).start()) {
            ids.removeIf(id -> id.endsWith("-errors") || id.equals("deliver-request") || id.equals("deliver-once"));
            ids.removeAll(all.running());
            assertEquals(Set.of(), ids);
        }
    }

    private static Set<String> methods(Class<?> bean) {
        return Arrays.stream(bean.getDeclaredMethods()).filter(method -> Modifier.isPublic(method.getModifiers()))
                .filter(method -> !method.isSynthetic()).map(method -> method.getName()).collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> names(String bean) throws IOException {
        return FACT.matcher(Files.readString(FACTS.resolve(bean + ".java"))).results().map(fact -> fact.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
