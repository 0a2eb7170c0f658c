package io.callbridge.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.store.Store;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import io.quarkus.arc.Arc;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which call and leg an event is of, when a PBX uses ids again: told by their times, in whatever order they come. What the CRM is told
 * of such calls, also over several replicas, is in the scenarios S65 and S66.
 */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class ReusedIdsTest {

    private static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    private static final int HOUR = 3600;

    private final BridgeInJvm bridge = BridgeInJvm.started();
    /** Behind each id: no other test has it. */
    private String own = TestCall.incoming("101", "").callId();

    @BeforeEach
    void oneCrm() {
        bridge.use(Map.of("callbridge.crm.active", "rest"));
    }

    /**
     * Events, each with the ids of its call and leg and its time (-: it has none), and in between what looks have found in the end: after
     * the id of a call it and its later ones, a line for each leg. {@code says}: why, in the decisions of a call.
     */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            a call hours after the one with the same ids is another | dial-in c l 0 ; hangup c l 20 ; c = c l: dial-in 0, hangup 20 \
            ; dial-in c l 3h ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h ; hangup c l 3h20 ; dial-in c other 3h10 \
            ; dial-in c l 9h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h, hangup 3h20 & c~2 other: dial-in 3h10 & c~3 l~3: dial-in 9h \
            ; c~3 says a new call, c~3
            # Else the old call would be answered by it for a moment, and be registered.
            an answer that overtook its dial-in is the new call's | dial-in c l 0 ; hangup c l 20 ; answer c l 3h5 \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: answer 3h5 ; dial-in c l 3h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: answer 3h5, dial-in 3h
            the true end of a leg that was given up is no new call | dial-in c l 0 ; c = c l: dial-in 0 ; hangup c l 9h \
            ; c = c l: dial-in 0, hangup 9h
            what is sent again is no new call | dial-in c l 0 ; hangup c l 20 ; dial-in c l 3h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h \
            ; later 30h ; dial-in c l 0 ; hangup c l 20 ; dial-in c l 3h ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h
            an answer that comes hours late is the old call's | dial-in c l 0 ; hangup c l 20 ; later 3h ; answer c l 10 \
            ; c = c l: answer 10, dial-in 0, hangup 20
            a call that is not over for an hour is the same | dial-in c l 0 ; answer c l 5 ; dial-in c m 4h ; hangup c l 4h10 \
            ; dial-in c n 5h \
            ; c = c l: answer 5, dial-in 0, hangup 4h10 & c m: dial-in 4h & c n: dial-in 5h
            without event times the arrivals count | dial-in c l - ; hangup c l - ; dial-in c l - ; c = c l: dial-in -, hangup - \
            ; later 3h \
            ; dial-in c l - ; c = c l: dial-in -, hangup - & c~2 l~2: dial-in -
            a leg that comes under another call id belongs to the last one | dial-in a l 0 ; dial-in a m 0 \
            ; a = a l: dial-in 0 & a m: dial-in 0 \
            ; hangup b l 1m ; b = b l: dial-in 0, hangup 1m ; a = a m: dial-in 0 ; answer a l 10 ; a = a m: dial-in 0 \
            ; b = b l: answer 10, dial-in 0, hangup 1m ; b says belongs to the call it came with last
            a leg hours after the call of its id is another | dial-in a l 0 ; hangup a l 20 ; a = a l: dial-in 0, hangup 20 \
            ; dial-in b l 3h \
            ; b = b l~2: dial-in 3h ; hangup b l 3h20 ; b = b l~2: dial-in 3h, hangup 3h20 ; a = a l: dial-in 0, hangup 20 \
            ; dial-in a l 6h \
            ; a = a l: dial-in 0, hangup 20 & a~2 l~3: dial-in 6h
            # Retention deletes the first of several calls before the others. A repeat must not have kept it in memory.
            a call after the first one was purged stays where it is | dial-in c l 0 ; hangup c l 20 ; dial-in c l 24h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 24h ; later 30h ; hangup c l 20 ; purge c ; dial-in c l 720h \
            ; hangup c l 720h20 ; dial-in c l 744h \
            ; c = c l: dial-in 720h, hangup 720h20 & c~2 l~2: dial-in 24h & c~3 l~3: dial-in 744h
            # A PBX that sends no answers, or whose answer got lost.
            the end of a talk that nobody knew of is not the new call's | dial-in c l 0 ; dial-in c m 2h \
            ; c = c l: dial-in 0 & c~2 m: dial-in 2h \
            ; hangup c l 2h10 ; hangup c m 2h20 ; c = c l: dial-in 0, hangup 2h10 & c~2 m: dial-in 2h, hangup 2h20
            # Times of a second are often equal.
            what came later at the same time is the last | dial-in a l 0 ; answer a l 10 ; a = a l: answer 10, dial-in 0 ; dial-in b l 10 \
            ; b = b l: answer 10, dial-in 0, dial-in 10 ; a =
            channels of an Asterisk have our own ids | dial-in c l 0 PJSIP/101-1 ; hangup c l 20 PJSIP/101-1 ; dial-in c l 3h PJSIP/101-1 \
            ; c = c l: dial-in 0, dial-in 3h, hangup 20
            """)
    void whichCallAndLegAnEventIsOf(String about, String script) {
        for (String step : script.split(" ; ?")) {
            String[] words = step.split(" ");
            switch (words[words.length > 1 && words[1].matches("=|says") ? 1 : 0]) {
                case "=" -> assertEquals(step, (words[0] + " = " + String.join(" & ", looked(words[0]))).strip());
                case "says" -> assertTrue(bridge.call(id(words[0])).path("decisions").toString().replace(own, "")
                        .contains(step.split(" says ")[1]), step);
                case "later" -> bridge.pass(Duration.ofSeconds(seconds(words[1])));
                case "purge" -> purge(id(words[1]));
                default -> {
                    bridge.webhook().accept(List.of(event(words)));
                    bridge.pass(Duration.ofMillis(1));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anyOrderOfArrivalGivesTheSame(boolean atOnce) {
        List<String> reused = List.of("dial-in c l 0", "answer c l 5", "hangup c l 20", "dial-in c l 3h", "answer c l 3h5",
                "hangup c l 3h20");
        List<String> moving = List.of("dial-in a m 0", "dial-in a n 0", "answer a m 10", "dial-in b o 20", "hangup b m 1m");
        List<CompletableFuture<?>> sent = new ArrayList<>();
        Map<String, List<String>> all = new TreeMap<>();
        for (int seed = 0; seed < (atOnce ? 100 : 10); seed++) {
            own = TestCall.incoming("101", "").callId();
            List<String> events = new ArrayList<>(reused);
            events.addAll(moving);
            Collections.shuffle(events, new Random(seed));
            all.put(own, events);
            for (String event : events) {
                sent.add(bridge.webhook().sendAsync(event(event.split(" ")), Webhook.Wire.FORM));
                if (!atOnce) {
                    sent.get(sent.size() - 1).join();
                    bridge.settle();
                }
            }
        }
        sent.forEach(CompletableFuture::join);
        bridge.settle();
        all.forEach((ids, events) -> {
            own = ids;
            assertEquals(List.of("c l: answer 5, dial-in 0, hangup 20", "c~2 l~2: answer 3h5, dial-in 3h, hangup 3h20"), looked("c"),
                    events::toString);
            assertEquals(List.of("a n: dial-in 0"), looked("a"), events::toString);
            assertEquals(List.of("b m: answer 10, dial-in 0, hangup 1m", "b o: dial-in 20"), looked("b"), events::toString);
        });
    }

    private static int seconds(String time) {
        return time.endsWith("m") ? 60 : time.contains("h") ? HOUR * Integer.parseInt(time.replaceFirst("h.*", ""))
                + Integer.parseInt("0" + time.replaceFirst(".*h", "")) : Integer.parseInt(time);
    }

    private static String shown(JsonNode time) {
        if (time.isMissingNode()) {
            return "-";
        }
        long seconds = Duration.between(BEGIN, Instant.parse(time.asText())).toSeconds();
        return seconds == 60 ? "1m" : seconds < HOUR ? "" + seconds : seconds / HOUR + "h" + (seconds % HOUR == 0 ? "" : seconds % HOUR);
    }

    private String id(String word) {
        return word.replaceFirst("(~.*)?$", own + "$1");
    }

    /** @param words type, call, leg, time, and the channel of an Asterisk */
    private Map<String, String> event(String[] words) {
        Map<String, String> fields = new HashMap<>(TestCall.incoming("101", "+79000000010").dialIn());
        fields.putAll(Map.of("EventType", words[0], "CallID", id(words[1]), "SubCallID", id(words[2])));
        fields.put("EventTime", words[3].equals("-") ? "" : BEGIN.plusSeconds(seconds(words[3])).toString());
        if (words.length > 4) {
            fields.putAll(Map.of("AsteriskChannel", words[4], "CalledExtension", "nobody"));
        }
        return fields;
    }

    /** As retention does. */
    private static void purge(String callId) {
        Arc.container().instance(Store.class).get().calls().writeAndWait("", sql -> {
            for (String table : List.of("delivery", "call_part", "call")) {
                sql.update("delete from " + table + " where call_id = ?", callId);
            }
            return null;
        });
    }

    /** @return a call and its later ones, a line for each leg; what the CRM is told of it is of these legs */
    private List<String> looked(String callId) {
        List<String> lines = new ArrayList<>();
        for (String word : List.of(callId, callId + "~2", callId + "~3")) {
            if (bridge.get("/api/calls/" + id(word)).statusCode() == 404) {
                continue;
            }
            JsonNode call = bridge.call(id(word));
            Map<String, List<String>> legs = new TreeMap<>();
            call.path("events").forEach(event -> legs.computeIfAbsent(event.path("legId").asText(), leg -> new ArrayList<>())
                    .add(event.path("type").asText() + " " + shown(event.path("eventTime"))));
            call.path("deliveries").forEach(delivery -> assertTrue(legs.containsKey(delivery.path("key").asText())
                    || delivery.path("key").asText().equals(id(word)), delivery::toString));
            legs.forEach((leg, events) -> lines.add(word + " " + leg.replace(own, "") + ": "
                    + String.join(", ", events.stream().sorted().toList())));
        }
        return lines;
    }
}
