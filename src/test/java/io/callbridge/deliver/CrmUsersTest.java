package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.store.Memory;
import io.callbridge.store.Store;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who has which extension, by the CRM's own list: a bad answer never takes away what a good one gave. */
class CrmUsersTest {

    private final Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.crm.rest.users.anna", "7"), Map.of()));
    private final DefaultCamelContext context = new DefaultCamelContext();
    private final NavigableMap<String, String> nextPages = new TreeMap<>();
    private volatile String list;
    private Store store;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() throws Exception {
        store = TestStore.of("jdbc:sqlite:" + folder.resolve("callbridge.db"));
        store.open();
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                errorHandler(noErrorHandler());
                from("direct:deliver-rest-users").routeId("deliver-rest-users").process(exchange -> {
                    if (list == null) {
                        throw new IllegalStateException("the CRM is away");
                    }
                    String page = exchange.getVariable("page", String.class);
                    exchange.getMessage().setBody(page.equals("0") ? list : nextPages.get(page));
                    exchange.setVariable("page", nextPages.higherKey(page));
                });
            }
        });
        context.start();
    }

    @AfterEach
    void stop() throws InterruptedException {
        context.stop();
        store.close();
    }

    @Test
    void aConfiguredUserCountsBeforeTheList() {
        CrmUsers users = users();
        list = "{\"101\": \"11\", \"102\": \"12\"}";
        users.refresh();
        assertEquals("7", users.of("rest", "anna", "101"));
        assertEquals("boris", users.of("rest", "boris", "102"));
        assertEquals("12", users.of("rest", null, "102"));
        assertTrue(users.known("101"));
        assertNull(users.of("rest", null, "103"));
        assertFalse(users.known("103"));
        assertNull(users.of("rest", null, null));
    }

    @Test
    void allPagesOrNone() {
        CrmUsers users = users();
        list = "{\"101\": \"11\"}";
        nextPages.put("50", "{\"102\": \"12\"}");
        nextPages.put("51", "no JSON");
        users.refresh();
        assertFalse(users.known("101"));
        nextPages.put("51", "{\"103\": \"13\"}");
        users.refresh();
        assertEquals("11 12 13", users.of("rest", null, "101") + " " + users.of("rest", null, "102") + " " + users.of("rest", null, "103"));
    }

    @Test
    void aFailedOrShrunkenListTakesNothingAwayAndNeitherDoesARestart() {
        CrmUsers users = users();
        list = "{\"101\": \"11\", \"102\": \"12\"}";
        users.refresh();
        for (String bad : new String[] {null, "no JSON", "{}", "{\"103\": \"13\"}"}) {
            list = bad;
            users.refresh();
            assertEquals("11", users.of("rest", null, "101"), bad);
        }
        list = "{\"101\": \"21\"}";
        users.refresh();
        CrmUsers afterRestart = users();
        assertEquals("21", afterRestart.of("rest", null, "101"));
        assertEquals("12", afterRestart.of("rest", null, "102"));
        assertEquals("13", afterRestart.of("rest", null, "103"));
    }

    private CrmUsers users() {
        return new CrmUsers(new CrmCapabilities(context), new Memory(store), settings, new ObjectMapper());
    }
}
