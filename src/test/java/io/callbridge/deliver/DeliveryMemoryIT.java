package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.CrmMemory;
import io.callbridge.store.Delivery;
import io.callbridge.store.Store;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeliveryMemoryIT {

    /** As the routes write it. */
    @Test
    void aRouteKeepsRecallsAndForgets(@TempDir Path folder) throws Exception {
        Store store = TestStore.of("jdbc:sqlite:" + folder.resolve("store.db"));
        store.open();
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            context.getRegistry().bind("crmMemory", new DeliveryMemory(new CrmMemory(store)));
            Exchange exchange = new DefaultExchange(context);
            exchange.setProperty(Dispatcher.DELIVERY, new Delivery(1, "bitrix24", "call", "leg-1", "main", "c1", "calls", "{}", null, "pending",
                    0, 0, 0, 0, 0, null));
            exchange.setVariable("key", "leg-1");
            exchange.setVariable("bitrixCall", "externalCall.0a.1");
            assertEquals("", asked(exchange, "recall(*, 'call-id')"));
            asked(exchange, "keep(*, 'call-id', ${variable.bitrixCall})");
            assertEquals("externalCall.0a.1", asked(exchange, "recall(*, 'call-id')"));
            assertEquals("externalCall.0a.1", new CrmMemory(store).recall("bitrix24", "main leg-1", "call-id"));
            asked(exchange, "forget(*, 'call-id')");
            assertEquals("", asked(exchange, "recall(*, 'call-id')"));
        }
    }

    /** Who asks for new tokens and dies leaves them to another one. */
    @Test
    void aClaimHoldsUntilItIsReleasedOrRunsOut() {
        Store store = TestStore.of(PostgresServer.shared().newDatabase());
        store.open();
        CrmMemory shared = new CrmMemory(store);
        assertTrue(shared.claim("bitrix24", "claim", "one", 60_000).join());
        assertTrue(shared.claim("bitrix24", "claim", "one", 60_000).join());
        assertFalse(shared.claim("bitrix24", "claim", "two", 60_000).join());
        shared.release("bitrix24", "claim", "two").join();
        assertFalse(shared.claim("bitrix24", "claim", "two", 60_000).join());
        shared.release("bitrix24", "claim", "one").join();
        assertTrue(shared.claim("bitrix24", "claim", "two", -1_000).join());
        assertTrue(shared.claim("bitrix24", "claim", "one", 60_000).join());
    }

    private static Object asked(Exchange exchange, String method) {
        var expression = exchange.getContext().resolveLanguage("bean").createExpression("crmMemory?method=" + method);
        expression.init(exchange.getContext());
        return expression.evaluate(exchange, Object.class);
    }
}
