package io.callbridge.store;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmGates;
import io.callbridge.deliver.DeliveryResult;
import io.callbridge.deliver.DeliveryAttempt;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Tracing;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import io.callbridge.support.Unchecked;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.OpenTelemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is new goes from memory to the CRM, in the order of its call, and what cannot goes by way of the store, in the same order. */
class StraightDeliveryTest {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;
    private final DefaultCamelContext context = new DefaultCamelContext();
    /** What the CRM was told, in this order: operation and id. */
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Map<String, CountDownLatch> slow = new ConcurrentHashMap<>();
    private final Set<String> failing = ConcurrentHashMap.newKeySet();
    private Store store;
    private Outbox outbox;
    private Dispatcher dispatcher;

    @BeforeEach
    void start() throws Exception {
        String url = "jdbc:sqlite:" + folder.resolve("callbridge.db");
        Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.store.url", url, "callbridge.deliver.poll-ms", "10",
                "callbridge.deliver.retry.first-delay-ms", "3600000", "callbridge.deliver.retry.max-delay-ms", "3600000"), Map.of()));
        store = TestStore.of(url);
        store.open();
        outbox = new Outbox(store, new ObjectMapper(), settings);
        CrmGates gates = new CrmGates(settings, new SimpleMeterRegistry());
        DeliveryResult results = new DeliveryResult(outbox, gates, new SimpleMeterRegistry(), settings);
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                Delivery.OPERATIONS.forEach(each -> from("direct:" + each).routeId("deliver-rest-" + each).log("never"));
                from("direct:deliver-outbox").process(exchange -> {
                    Delivery delivery = exchange.getProperty(Dispatcher.DELIVERY, Delivery.class);
                    String effect = delivery.operation() + " " + delivery.id();
                    told.add(effect);
                    if (slow.containsKey(effect)) {
                        slow.get(effect).await();
                    }
                    if (failing.contains(effect)) {
                        exchange.setProperty(Exchange.EXCEPTION_CAUGHT, new IllegalStateException("later"));
                        results.retryLater(exchange);
                    } else {
                        exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
                        results.delivered(exchange);
                    }
                });
            }
        });
        context.start();
        dispatcher = new Dispatcher(outbox, results, new CrmCapabilities(context), gates, new DeliveryAttempt(results,
                context.createProducerTemplate(), new Tracing(OpenTelemetry.noop(), settings), new ObjectMapper()), settings);
        dispatcher.start();
        await().atMost(SOON).until(() -> dispatcher.takes("rest", Delivery.RECORDINGS, List.of()));
    }

    @AfterEach
    void stop() throws InterruptedException {
        slow.values().forEach(CountDownLatch::countDown);
        context.stop();
        store.close();
    }

    @Test
    void ofACallEachWaitsForWhatGoesBeforeIt() {
        slow.put("card a", new CountDownLatch(1));
        List<Delivery> put = look("card a", "card b", "card-end a", "call a", "recording a", "call b");
        assertTrue(put.stream().allMatch(Delivery::straight));
        await().atMost(SOON).until(() -> told.size() == 2);
        slow.get("card a").countDown();
        awaitStates("delivered");
        assertEquals(List.of("card-end a", "call a"), told.stream().filter(Set.of("card-end a", "call a")::contains).toList());
        assertTrue(told.indexOf("call a") < told.indexOf("recording a") && told.indexOf("call a") < told.indexOf("call b"), told::toString);
        assertEquals(List.of("card a", "card b"), told.stream().limit(2).sorted().toList());
        // All that this process has brought to its end, it need not ask the store about.
        assertTrue(look("call c").get(0).straight());
    }

    @Test
    void whatIsBehindOneThatFailsWaitsInTheStoreAndKeepsItsOrder() {
        failing.add("call a");
        slow.put("call a", new CountDownLatch(1));
        look("call a", "call b");
        await().atMost(SOON).until(() -> told.size() == 1);
        assertTrue(look("call c").get(0).straight(), "it waits in memory");
        slow.remove("call a").countDown();
        await().atMost(SOON).until(() -> !dispatcher.sends(all().get(0)) && all().stream().allMatch(each -> each.attempts() == 1
                || each.nextAt() <= System.currentTimeMillis()));
        assertFalse(look("call d").get(0).straight(), "it would overtake them");
        assertEquals(List.of("call a"), told);
        failing.clear();
        outbox.hurry("rest").join();
        awaitStates("delivered");
        assertEquals(List.of("call a", "call a", "call b", "call c", "call d"), told);
        assertEquals(2, outbox.attempts(all().get(0)).size());
    }

    /** And what it had in memory then goes back. */
    @Test
    void aCrmThatIsDownIsAskedByWhatIsInTheStore() throws Exception {
        Stream.of("a", "b", "c", "d").forEach(id -> failing.add("missed " + id));
        look("missed a", "missed b", "missed c", "missed d");
        for (int i = 0; i < 3; i++) {
            await().atMost(SOON).until(() -> all().stream().anyMatch(each -> each.state().equals("pending") && each.attempts() > 0)
                    && all().stream().noneMatch(dispatcher::sends));
            int before = told.size();
            outbox.hurry("rest").join();
            dispatcher.askNow("rest");
            await().atMost(SOON).until(() -> told.size() > before);
        }
        await().atMost(SOON).until(() -> !dispatcher.takes("rest", Delivery.CARDS, List.of()));
        assertFalse(look("card a").get(0).straight());
        failing.clear();
        outbox.hurry("rest").join();
        dispatcher.askNow("rest");
        awaitStates("delivered");
    }

    private void awaitStates(String state) {
        await().atMost(SOON).until(() -> all().stream().allMatch(each -> each.state().equals(state)));
    }

    private List<Delivery> all() {
        return outbox.call("main", "c");
    }

    /** Puts what an evaluation asks for, and hands it over after the commit. */
    private List<Delivery> look(String... effects) {
        List<Calls.Put> puts = new ArrayList<>();
        for (String effect : effects) {
            String[] words = effect.split(" ");
            puts.add(new Calls.Put("rest", words[0], words[1], "{}", Long.MAX_VALUE));
        }
        List<Delivery> put = Unchecked.get(() -> store.calls().write("", sql -> outbox.put(sql, puts, "main", "c", null, System.currentTimeMillis(),
                outbox.call(sql, "main", "c"))).get());
        dispatcher.offer(put);
        return put;
    }
}
