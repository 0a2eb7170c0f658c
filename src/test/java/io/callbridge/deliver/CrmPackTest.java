package io.callbridge.deliver;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who sends what comes at the same time, and what becomes of each. */
class CrmPackTest {

    private static final int MOST = 3;

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final CrmPack packs = new CrmPack();
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private final List<String> sent = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    /** What the CRM does with a pack. */
    private volatile Processor crm = exchange -> {
    };

    CrmPackTest() throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                errorHandler(noErrorHandler());
                from("direct:pack").process(exchange -> {
                    sent.add(exchange.getMessage().getBody(String.class));
                    if (sent.size() == 1) {
                        arrived.countDown();
                        go.await();
                    }
                    crm.process(exchange);
                    exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 201);
                    exchange.getMessage().setBody("answer to " + exchange.getVariable("packSize") + " of " + exchange.getVariable("crm"));
                });
            }
        });
        context.start();
        // What an Error has ended is in flight for ever.
        context.getShutdownStrategy().setTimeout(1);
    }

    @AfterEach
    void stop() {
        go.countDown();
        workers.shutdownNow();
        context.stop();
    }

    private CompletableFuture<Exchange> send(String element) {
        CompletableFuture<Exchange> answer = new CompletableFuture<>();
        workers.execute(() -> {
            Exchange exchange = new DefaultExchange(context);
            try {
                packs.send(element, exchange, "shop", "calls", "call", "direct:pack", MOST);
                answer.complete(exchange);
            } catch (Throwable e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    /** One is on its way, and the others have come in this order. */
    private List<CompletableFuture<Exchange>> sendWhileOneIsOnItsWay(String... elements) throws InterruptedException {
        List<CompletableFuture<Exchange>> answers = new ArrayList<>(List.of(send("0")));
        arrived.await();
        for (String element : elements) {
            int before = packs.waiting();
            answers.add(send(element));
            await().until(() -> packs.waiting() == before + 1);
        }
        return answers;
    }

    @Test
    void oneWaitsForNobody() throws Exception {
        go.countDown();
        Exchange answer = send("0").get();
        assertEquals(List.of("[0]"), sent);
        assertEquals("answer to 1 of shop", answer.getMessage().getBody());
        assertEquals(201, answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE));
        assertEquals("answer to 1 of shop", send("1").get().getMessage().getBody());
    }

    @Test
    void whatComesMeanwhileIsTheNextPackInItsOrder() throws Exception {
        List<CompletableFuture<Exchange>> answers = sendWhileOneIsOnItsWay("1", "2", "3", "4", "5");
        assertEquals(List.of("[0]"), sent);
        go.countDown();
        List<Object> bodies = new ArrayList<>();
        for (Future<Exchange> answer : answers) {
            bodies.add(answer.get().getMessage().getBody());
        }
        assertEquals(List.of("[0]", "[1,2,3]", "[4,5]"), sent);
        assertEquals(List.of(1, 3, 3, 3, 2, 2), bodies.stream().map(body -> Integer.valueOf(body.toString().split(" ")[2])).toList());
        assertEquals(0, packs.waiting());
    }

    @Test
    void anotherLineDoesNotWait() throws Exception {
        CompletableFuture<Exchange> first = send("0");
        arrived.await();
        Exchange exchange = new DefaultExchange(context);
        packs.send("x", exchange, "other", "calls", "call", "direct:pack", MOST);
        assertEquals("answer to 1 of other", exchange.getMessage().getBody());
        go.countDown();
        first.get();
    }

    @Test
    void ofARefusedPackOnlyTheBadOneIsRefused() throws Exception {
        crm = exchange -> {
            if (exchange.getMessage().getBody(String.class).contains("bad")) {
                throw new CrmRefusedException(400, "bad");
            }
        };
        List<CompletableFuture<Exchange>> answers = sendWhileOneIsOnItsWay("1", "bad", "2");
        go.countDown();
        assertEquals(CrmRefusedException.class, assertThrows(Exception.class, answers.get(2)::get).getCause().getClass());
        for (int good : new int[] {0, 1, 3}) {
            assertEquals("answer to 1 of shop", answers.get(good).get().getMessage().getBody());
        }
        assertEquals(List.of("[0]", "[1,bad,2]", "[1]", "[2]", "[bad]"), sent.stream().sorted(
                java.util.Comparator.comparing(pack -> sent.indexOf(pack) < 2 ? "" + sent.indexOf(pack) : "9" + pack)).toList());
    }

    /** Later, or for ever: nobody is sent alone, and nobody waits for one who is gone. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPackWithoutAnAnswerFailsForAll(boolean error) throws Exception {
        List<CompletableFuture<Exchange>> answers = sendWhileOneIsOnItsWay("1", "2", "3", "4");
        crm = exchange -> {
            if (sent.size() == 2) {
                if (error) {
                    throw new StackOverflowError();
                }
                throw new CrmAnswerException(503, "later", 0, null);
            }
        };
        go.countDown();
        for (int pack : new int[] {1, 2, 3}) {
            assertThrows(Exception.class, answers.get(pack)::get);
        }
        assertEquals("answer to 1 of shop", answers.get(0).get().getMessage().getBody());
        assertEquals("answer to 1 of shop", answers.get(4).get().getMessage().getBody());
        assertEquals(List.of("[0]", "[1,2,3]", "[4]"), sent);
    }
}
