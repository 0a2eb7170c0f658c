package io.callbridge.crm;

import static io.callbridge.crm.Bitrix24StandIn.to;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.deliver.Bitrix24Call;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.deliver.CrmRate;
import io.callbridge.deliver.DeliveryMemory;
import io.callbridge.deliver.JsonAnswer;
import io.callbridge.deliver.JsonTemplate;
import io.callbridge.deliver.OAuthToken;
import io.callbridge.deliver.RecordingFile;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.routes.AdapterHarness.Outcome;
import io.callbridge.store.CrmMemory;
import io.callbridge.store.Permits;
import io.callbridge.store.Store;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The adapter of Bitrix24 against a portal that takes one finish for a call, and forgets what was registered after half an hour. */
class DeliverBitrix24RouteTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String REGISTER = "telephony.externalCall.register";
    private static final String FINISH = "telephony.externalCall.finish";
    private static final String HIDE = "telephony.externalCall.hide";
    private static final String ATTACH = "telephony.externalCall.attachRecord";
    private static final String SEARCH = "telephony.externalCall.searchCrmEntities";
    private static final String URL = "https://records.example/1.mp3";
    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("yyyyMMddHHmmss");

    /** What the adapter remembers, over the lives of several harnesses. */
    public static final class Memory extends DeliveryMemory {

        private final Map<String, String> kept = new ConcurrentHashMap<>();

        private Memory() {
            super(null);
        }

        @Override
        public String recall(Exchange exchange, String name) {
            return kept.getOrDefault(exchange.getVariable("key") + " " + name, "");
        }

        @Override
        public void keep(Exchange exchange, String name, String value) {
            kept.put(exchange.getVariable("key") + " " + name, value);
        }

        @Override
        public void forget(Exchange exchange, String name) {
            kept.remove(exchange.getVariable("key") + " " + name);
        }

        private void age(Duration time) {
            kept.replaceAll((name, value) -> name.endsWith(" late")
                    ? LocalDateTime.parse(value, SECONDS).minus(time).format(SECONDS) : value);
        }
    }

    private final Bitrix24StandIn crm = new Bitrix24StandIn();
    private final Memory memory = new Memory();
    private final Map<String, Object> beans = new HashMap<>(Map.of("crmMemory", memory));
    private final Map<String, String> settings = new HashMap<>(Map.of("callbridge.crm.bitrix24.url", crm.webhookUrl()));
    private AdapterHarness adapter;

    @BeforeEach
    void people() {
        crm.user(7, "101", true);
        crm.user(8, "102", true);
        crm.user(9, "103", false);
    }

    @AfterEach
    void stop() {
        if (adapter != null) {
            adapter.close();
        }
        crm.close();
    }

    private AdapterHarness adapter() {
        if (adapter == null) {
            adapter = start();
        }
        return adapter;
    }

    private AdapterHarness start() {
        beans.put("bitrix24Call", new Bitrix24Call(memory, new JsonTemplate(JSON), JSON));
        return AdapterHarness.of("bitrix24", settings, beans);
    }

    private Outcome send(String operation, String id, Map<String, Object> body) {
        return adapter().deliver(operation, id, body);
    }

    private void delivered(String operation, String id, Map<String, Object> body) {
        Outcome outcome = send(operation, id, body);
        assertEquals("delivered", outcome.result(), () -> String.valueOf(outcome.cause()));
    }

    private Throwable later(String operation, String id, Map<String, Object> body) {
        return ended("retryLater", operation, id, body);
    }

    private Throwable refused(String operation, String id, Map<String, Object> body) {
        return ended("deadLetter", operation, id, body);
    }

    private Throwable ended(String how, String operation, String id, Map<String, Object> body) {
        Outcome outcome = send(operation, id, body);
        assertEquals(how, outcome.result(), () -> String.valueOf(outcome.cause()));
        return outcome.cause();
    }

    private static Map<String, Object> card(String user) {
        return new HashMap<>(Map.of("callId", "c1", "direction", "in", "user", user, "extension", "101", "number", "+79161234567",
                "did", "+74951234567", "at", "2026-03-07T07:20:30.123Z"));
    }

    private static Map<String, Object> call(String user) {
        Map<String, Object> body = card(user);
        body.remove("at");
        body.putAll(Map.of("result", "answered", "startedAt", "2026-03-07T07:20:30.123Z", "answeredAt", "2026-03-07T07:20:35.000Z",
                "endedAt", "2026-03-07T07:22:10.000Z", "talkSeconds", 95));
        return body;
    }

    private static Map<String, Object> outgoing(String result) {
        Map<String, Object> body = call("7");
        body.putAll(Map.of("direction", "out", "result", result, "talkSeconds", 0));
        body.remove("answeredAt");
        return body;
    }

    private static Map<String, Object> missed(String user) {
        Map<String, Object> body = new HashMap<>(Map.of("number", "+79161234567", "place", Map.of("extension", "880", "type", "queue"),
                "startedAt", "2026-03-07T07:20:30.123Z", "endedAt", "2026-03-07T07:21:00.000Z"));
        if (user != null) {
            body.put("user", user);
        }
        return body;
    }

    private static Map<String, Object> recording(String user) {
        Map<String, Object> body = call(user);
        body.putAll(Map.of("recordingId", "1", "recordingUrl", URL));
        return body;
    }

    private static Map<String, Object> end(String reason) {
        return Map.of("reason", reason);
    }

    /** Methods of the requests, lookups left out. */
    private List<String> asked() {
        return crm.requests().stream().map(request -> request.path().replaceFirst(".*/", "")).filter(method -> !method.equals(SEARCH)).toList();
    }

    private JsonNode request(String method) {
        return crm.requests().stream().filter(to(method)).reduce((first, second) -> second).orElseThrow().json();
    }

    private static CrmEffect effect(Kind kind, String id, String user, String status, Long seconds, String recording) {
        return new CrmEffect(kind, id, user, "79161234567", "in", status, seconds, kind == Kind.CALL || kind == Kind.MISSED ? 1772868030L : null,
                recording);
    }

    private static CrmEffect shown(String id, String user) {
        return effect(Kind.CARD, id, user, null, null, null);
    }

    private static CrmEffect gone(String id, String user) {
        return effect(Kind.CARD_END, id, user, null, null, null);
    }

    /** A helper with the name of a capability would get effects that are not meant for it. */
    @Test
    void theseAreTheCapabilities() {
        assertEquals(List.of("lookup", "users", "probe", "card", "card-end", "call", "recording", "missed"),
                Stream.of("lookup", "users", "probe", "card", "answer", "card-end", "call", "recording", "missed", "task")
                        .filter(adapter()::can).toList());
    }

    @Test
    void aCallFromItsCardToItsRecording() {
        crm.contact("8 (916) 123-45-67", 797, "Ivanov", 8);
        delivered("card", "leg-1", card("7"));
        JsonNode registered = request(REGISTER);
        assertEquals(JSON.valueToTree(Map.of("USER_ID", 7, "PHONE_NUMBER", "+79161234567", "TYPE", 2, "CALL_START_DATE",
                "2026-03-07T07:20:30+00:00", "CRM_CREATE", 0, "CRM_ENTITY_TYPE", "CONTACT", "CRM_ENTITY_ID", 797, "SHOW", 1,
                "EXTERNAL_CALL_ID", "leg-1")), registered);
        delivered("card-end", "leg-1", end("ended"));
        delivered("call", "leg-1", call("7"));
        assertEquals(JSON.valueToTree(Map.of("CALL_ID", crm.callIdsOf("leg-1").get(0), "USER_ID", 7, "DURATION", 95, "STATUS_CODE", "200")),
                request(FINISH));
        delivered("recording", "leg-1", recording("7"));
        assertEquals(List.of(REGISTER, FINISH, ATTACH), asked());
        assertEquals(List.of(shown("leg-1", "7"), gone("leg-1", "7"), effect(Kind.CALL, "leg-1", "7", "200", 95L, URL)), crm.effects());
    }

    @Test
    void aQueueRingsTwoAndOneAnswers() {
        delivered("card", "leg-1", card("7"));
        delivered("card", "leg-2", card("8"));
        delivered("card-end", "leg-1", Map.of("reason", "answered-elsewhere", "answeredBy", "102"));
        assertEquals(List.of(7), JSON.convertValue(request(HIDE).get("USER_ID"), List.class));
        delivered("card-end", "leg-1", Map.of("reason", "answered-elsewhere", "answeredBy", "102"));
        delivered("call", "leg-2", call("8"));
        assertEquals(List.of(shown("leg-1", "7"), shown("leg-2", "8"), gone("leg-1", "7"), gone("leg-2", "8"),
                effect(Kind.CALL, "leg-2", "8", "200", 95L, null)), crm.effects());
        assertEquals(List.of(REGISTER, REGISTER, HIDE, HIDE, FINISH), asked());
    }

    @Test
    void theEndOfACardThatWasNeverShownAsksForNothing() {
        delivered("card-end", "leg-1", end("unanswered"));
        assertEquals(List.of(), crm.requests());
    }

    @Test
    void aHideThatComesAfterTheFinishIsNoFailure() {
        delivered("card", "leg-1", card("7"));
        delivered("call", "leg-1", call("7"));
        delivered("card-end", "leg-1", end("unanswered"));
        assertEquals(List.of(REGISTER, FINISH, HIDE), asked());
    }

    @Test
    void eachAnsweredLegOfATransferHasItsOwnCall() {
        for (String leg : List.of("leg-1", "leg-2")) {
            delivered("card", leg, card(leg.equals("leg-1") ? "7" : "8"));
        }
        delivered("call", "leg-1", call("7"));
        delivered("call", "leg-2", call("8"));
        delivered("recording", "leg-2", recording("8"));
        delivered("recording", "leg-1", recording("7"));
        assertNotEquals(crm.callIdsOf("leg-1"), crm.callIdsOf("leg-2"));
        assertEquals(List.of(effect(Kind.CALL, "leg-1", "7", "200", 95L, URL), effect(Kind.CALL, "leg-2", "8", "200", 95L, URL)),
                crm.effects().stream().filter(effect -> effect.kind() == Kind.CALL).toList());
        assertEquals(1, crm.callsOf("leg-1").get(0).recordings());
    }

    @Test
    void aCallWithoutACardIsOneRequest() {
        delivered("call", "leg-1", call("7"));
        delivered("recording", "leg-1", recording("7"));
        assertEquals(List.of("batch", ATTACH), asked());
        assertEquals(List.of(effect(Kind.CALL, "leg-1", "7", "200", 95L, URL)), crm.effects());
    }

    @Test
    void aMissedCallIsOneRequestAndChangedContentIsNone() {
        crm.contact("+79161234567", 797, "Ivanov", 8);
        delivered("missed", "c1", missed("7"));
        assertEquals(List.of(effect(Kind.MISSED, "missed-c1", "8", "304", 0L, null)), crm.effects());
        Map<String, Object> served = missed("7");
        served.put("servedAt", "2026-03-07T08:00:00.000Z");
        delivered("missed", "c1", served);
        assertEquals(List.of("batch"), asked());
    }

    /** An agent of a pool at an Asterisk talks under the id of the whole call. */
    @Test
    void aMissedCallAndALegWithItsIdAreTwo() {
        delivered("missed", "c1", missed("7"));
        delivered("call", "c1", call("7"));
        assertEquals(List.of(effect(Kind.MISSED, "missed-c1", "7", "304", 0L, null), effect(Kind.CALL, "c1", "7", "200", 95L, null)),
                crm.effects());
    }

    /** Retried together, the call goes first. */
    @Test
    void aRecordingWhoseCallIsADeadLetterIsOneToo() {
        Map<String, Object> hidden = call("7");
        hidden.remove("number");
        refused("call", "leg-1", hidden);
        assertTrue(refused("recording", "leg-1", recording("7")).getMessage().contains("not in Bitrix24"));
    }

    @Test
    void aMissedCallOfAnEmployeeWhoHasLeftIsThatOfTheLastOneWhosePhoneRang() {
        crm.contact("+79161234567", 797, "Ivanov", 9);
        delivered("missed", "c1", missed("7"));
        assertEquals(List.of(effect(Kind.MISSED, "missed-c1", "7", "304", 0L, null)), crm.effects());
        assertEquals(List.of("batch", "batch"), asked());
        assertTrue(refused("missed", "c2", missed(null)).getMessage().contains("User is not found"));
        assertEquals(3, asked().size());
    }

    @Test
    void aCallThatWasFinishedIsNeverSentAgain() {
        Map<String, Object> unknown = call("7");
        unknown.putAll(Map.of("result", "unknown", "talkSeconds", 0));
        delivered("card", "leg-1", card("7"));
        delivered("call", "leg-1", unknown);
        delivered("call", "leg-1", call("7"));
        // Who talked was not missed, whether the end is known or not.
        assertEquals(effect(Kind.CALL, "leg-1", "7", "200", 0L, null), crm.effects().get(2));
        Map<String, Object> late = call("7");
        late.put("result", "no-answer");
        late.remove("answeredAt");
        delivered("call", "leg-1", late);
        assertEquals(List.of(REGISTER, FINISH), asked());
        assertEquals(1, crm.finishesOf("leg-1"));
    }

    @ParameterizedTest
    @CsvSource({"busy, 486", "no-answer, 304", "cancelled, 603-S", "failed, 503", "unknown, OTHER"})
    void anOutgoingCallThatNobodyAnswered(String result, String status) {
        delivered("call", "leg-1", outgoing(result));
        CrmEffect effect = crm.effects().get(0);
        assertEquals(List.of(Kind.CALL, "out", status, 0L), List.of(effect.kind(), effect.direction(), effect.status(), effect.seconds()));
    }

    private record Lost(String what, String method, boolean card, String operation, List<String> requests) {
    }

    /** The budget of requests is that of a call whose answer was lost once; each further loss costs the last of them once more. */
    @TestFactory
    Stream<DynamicTest> whateverAnswerIsLostTheCallIsThereOnce() {
        return Stream.of(
                new Lost("card", REGISTER, false, "card", List.of(REGISTER, REGISTER)),
                new Lost("finish", FINISH, true, "call", List.of(REGISTER, FINISH, FINISH)),
                new Lost("batch", "batch", false, "call", List.of("batch", REGISTER, FINISH)),
                new Lost("missed", "batch", false, "missed", List.of("batch", REGISTER, FINISH)))
                .flatMap(lost -> Stream.of(1, 2).map(times -> DynamicTest.dynamicTest(lost.what + " lost " + times + " times", () -> {
                    DeliverBitrix24RouteTest test = new DeliverBitrix24RouteTest();
                    try {
                        test.people();
                        test.losesAndTriesAgain(lost, times);
                    } finally {
                        test.stop();
                    }
                })));
    }

    private void losesAndTriesAgain(Lost lost, int times) {
        Map<String, Object> body = lost.operation.equals("missed") ? missed("7") : lost.operation.equals("card") ? card("7") : call("7");
        if (lost.card) {
            delivered("card", "leg-1", card("7"));
        }
        crm.lose(1, to(lost.method));
        later(lost.operation, "leg-1", body);
        if (times == 2) {
            String next = lost.method.equals("batch") ? REGISTER : lost.method;
            crm.lose(1, to(next));
            later(lost.operation, "leg-1", body);
        }
        delivered(lost.operation, "leg-1", body);
        List<String> expected = new ArrayList<>(lost.requests);
        if (times == 2) {
            expected.add(expected.size() - 1, lost.method.equals("batch") ? REGISTER : lost.method);
        }
        assertEquals(expected, asked());
        String id = lost.operation.equals("missed") ? "missed-leg-1" : "leg-1";
        assertEquals(1, crm.callIdsOf(id).size());
        assertEquals(lost.operation.equals("card") ? 0 : 1, crm.finishesOf(id));
        delivered(lost.operation.equals("missed") ? "missed" : "call", "leg-1", lost.operation.equals("missed") ? body : call("7"));
        assertEquals(1, crm.finishesOf(id));
        if (!lost.operation.equals("missed")) {
            delivered("recording", "leg-1", recording("7"));
            assertEquals(URL, crm.effects().get(crm.effects().size() - 1).recording());
        }
    }

    @Test
    void aLostFinishAfterALostBatch() {
        crm.lose(1, to("batch"));
        later("call", "leg-1", call("7"));
        crm.lose(1, to(FINISH));
        later("call", "leg-1", call("7"));
        delivered("call", "leg-1", call("7"));
        assertEquals(List.of("batch", REGISTER, FINISH, FINISH), asked());
        assertEquals(1, crm.finishesOf("leg-1"));
    }

    @Test
    void aBatchThatNeverArrivedIsNoLoss() {
        // No number to look up, so the batch is the first request.
        Map<String, Object> call = call("7");
        call.put("number", "79161234567");
        adapter();
        crm.down();
        later("call", "leg-1", call);
        later("call", "leg-1", call);
        crm.up();
        delivered("call", "leg-1", call);
        assertEquals(List.of(REGISTER, FINISH), asked());
        assertEquals(1, crm.finishesOf("leg-1"));
    }

    @Test
    void aLostAttachIsRepeated() {
        delivered("card", "leg-1", card("7"));
        delivered("call", "leg-1", call("7"));
        crm.lose(2, to(ATTACH));
        later("recording", "leg-1", recording("7"));
        later("recording", "leg-1", recording("7"));
        delivered("recording", "leg-1", recording("7"));
        assertEquals(3, crm.callsOf("leg-1").get(0).recordings());
        assertEquals(1, crm.effects().stream().filter(effect -> URL.equals(effect.recording())).count());
    }

    /** The lost card is the call of its leg as long as Bitrix24 remembers the registration. */
    @Test
    void aCardWhoseAnswerWasLostAndThatWasNotTriedAgainIsStillTheCallsCard() {
        crm.lose(1, to(REGISTER));
        later("card", "leg-1", card("7"));
        crm.advance(Duration.ofMinutes(20));
        delivered("call", "leg-1", call("7"));
        assertEquals(1, crm.callIdsOf("leg-1").size());
        assertEquals(List.of(shown("leg-1", "7"), gone("leg-1", "7"), effect(Kind.CALL, "leg-1", "7", "200", 95L, null)), crm.effects());
    }

    /** After 25 minutes the batch is sent again, which does no harm as long as Bitrix24 still remembers. */
    @ParameterizedTest
    @CsvSource({"24, 1, register", "27, 1, batch", "31, 2, batch"})
    void aLostBatchIsTheSameCallForHalfAnHourOnly(int minutes, int calls, String second) {
        crm.lose(1, to("batch"));
        later("call", "leg-1", call("7"));
        crm.advance(Duration.ofMinutes(minutes));
        memory.age(Duration.ofMinutes(minutes));
        delivered("call", "leg-1", call("7"));
        assertTrue(asked().get(1).endsWith(second), () -> asked().toString());
        assertEquals(calls, crm.finishesOf("leg-1"));
        delivered("call", "leg-1", call("7"));
        delivered("recording", "leg-1", recording("7"));
        assertEquals(calls, crm.finishesOf("leg-1"));
    }

    @Test
    void aLongCallIsFinishedUnderTheIdOfItsCard() {
        delivered("card", "leg-1", card("7"));
        crm.advance(Duration.ofHours(3));
        delivered("call", "leg-1", call("7"));
        assertEquals(List.of(REGISTER, FINISH), asked());
        assertEquals(1, crm.callIdsOf("leg-1").size());
    }

    @Test
    void aCallThatBitrix24HasForgottenIsRegisteredAnewInTheSameTry() {
        memory.kept.put("leg-1 call-id", "externalCall.0.1");
        delivered("call", "leg-1", call("7"));
        assertEquals(List.of(FINISH, "batch"), asked());
        assertEquals(1, crm.finishesOf("leg-1"));
        delivered("recording", "leg-1", recording("7"));
    }

    /** Only a finish whose answer was lost may have come through: of any other one the call is not found because it was never finished. */
    @Test
    void aFinishThatWasRefusedWasNotSent() {
        memory.kept.put("leg-1 call-id", "externalCall.0.1");
        crm.refuse(1, StandIn.Reply.json(503, Map.of("error", "QUERY_LIMIT_EXCEEDED", "error_description", "Too many requests")), to(FINISH));
        later("call", "leg-1", call("7"));
        delivered("call", "leg-1", call("7"));
        assertEquals(List.of(FINISH, FINISH, "batch"), asked());
        assertEquals(1, crm.finishesOf("leg-1"));
    }

    @Test
    void aRefusalInsideABatchIsARefusal() {
        assertTrue(refused("call", "leg-1", call("9")).getMessage().contains("User is not found or is not active"));
        assertEquals(List.of("batch"), asked());
        crm.user(9, "103", true);
        delivered("call", "leg-1", call("9"));
        assertEquals(1, crm.finishesOf("leg-1"));
    }

    @Test
    void aRefusedFinishInsideABatchKeepsTheCall() {
        crm.operatingLimit(0);
        crm.cost(FINISH, 1);
        delivered("call", "leg-0", call("7"));
        later("call", "leg-1", call("7"));
        assertEquals(1, crm.callIdsOf("leg-1").size());
        crm.operatingLimit(10);
        delivered("call", "leg-1", call("7"));
        assertEquals(List.of("batch", "batch", FINISH), asked());
        assertEquals(1, crm.callIdsOf("leg-1").size());
        assertEquals(1, crm.finishesOf("leg-1"));
    }

    @Test
    void inactiveEmployeesAreARefusalOfTheCard() {
        refused("card", "leg-1", card("9"));
        assertEquals(List.of(), crm.effects());
    }

    @Test
    void withoutAnEmployeeThereIsNoCardAndTheCallSaysWhatToDo() {
        delivered("card", "leg-1", card(""));
        assertTrue(refused("missed", "c1", missed(null)).getMessage().contains("default-user"));
        assertTrue(refused("call", "leg-1", call("anna")).getMessage().contains("'anna' is no id"));
        assertEquals(List.of(), asked());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "anonymous"})
    void aHiddenNumberIsWrittenAsTheSettingSays(String number) {
        Map<String, Object> card = card("7");
        Map<String, Object> call = call("7");
        card.put("number", number);
        call.put("number", number);
        delivered("card", "leg-1", card);
        assertTrue(refused("call", "leg-1", call).getMessage().contains("callbridge.crm.bitrix24.hidden-number"));
        with("callbridge.crm.bitrix24.hidden-number", "skip");
        delivered("card", "leg-1", card);
        assertEquals(new Outcome("delivered", null, "its number is hidden (callbridge.crm.bitrix24.hidden-number=skip)"),
                adapter.deliver("call", "leg-1", call));
        delivered("recording", "leg-1", recording("7"));
        assertEquals(List.of(), crm.requests());
        with("callbridge.crm.bitrix24.hidden-number", "00000000000");
        delivered("card", "leg-1", card);
        delivered("call", "leg-1", call);
        assertEquals("00000000000", crm.effects().get(2).number());
        assertEquals(List.of(REGISTER, FINISH), asked());
    }

    private void with(String key, String value) {
        adapter.close();
        adapter = null;
        settings.put(key, value);
    }

    @Test
    void anUnknownCallerBecomesALeadIfWanted() {
        delivered("card", "leg-1", card("7"));
        assertEquals(List.of(), crm.entities());
        with("callbridge.crm.bitrix24.unknown-caller", "create");
        crm.leadsFail(true);
        delivered("card", "leg-2", card("7"));
        crm.leadsFail(false);
        delivered("card", "leg-3", card("7"));
        delivered("call", "leg-3", call("7"));
        assertEquals(1, crm.entities().size());
    }

    @Test
    void theDialledNumberIsTheLineIfWanted() {
        settings.put("callbridge.crm.bitrix24.line-number", "true");
        delivered("card", "leg-1", card("7"));
        delivered("call", "leg-2", call("7"));
        assertEquals("+74951234567", crm.callsOf("leg-1").get(0).line);
        assertEquals("+74951234567", crm.callsOf("leg-2").get(0).line);
    }

    @Test
    void aLookupAnswersAllWhoHaveTheNumber() {
        assertEquals(JSON.createArrayNode(), adapter().find("+79161234567"));
        crm.contact("8 (916) 123-45-67", 797, "Ivanov", 8);
        crm.entity("COMPANY", "+79161234567", 12, "Horns and hooves", 7);
        assertEquals(JSON.valueToTree(List.of(Map.of("type", "CONTACT", "id", 797, "name", "Ivanov", "responsible", 8),
                Map.of("type", "COMPANY", "id", 12, "name", "Horns and hooves", "responsible", 7))),
                JSON.valueToTree(JSON.convertValue(adapter().find("+79161234567"), List.class)));
        crm.refuse(1, StandIn.Reply.json(400, Map.of("error", "", "error_description", "CRM is not installed")), to(SEARCH));
        assertEquals(JSON.createArrayNode(), adapter().find("+79161234567"));
        crm.refuse(1, StandIn.Reply.json(503, Map.of("error", "QUERY_LIMIT_EXCEEDED", "error_description", "Too many requests")), to(SEARCH));
        assertThrows(IllegalStateException.class, () -> adapter().find("+79161234567"));
    }

    @Test
    void theUsersOfAllPagesOrNone() {
        crm.clearUsers();
        for (int id = 1; id <= 120; id++) {
            crm.user(id, id % 10 == 0 ? "" : String.valueOf(1000 + id), id != 119);
        }
        JsonNode users = adapter().ask("users");
        assertEquals(107, users.size());
        assertEquals("118", users.get("1118").asText());
        assertEquals(3, asked().size());
        crm.refuse(1, StandIn.Reply.json(500, Map.of("error", "INTERNAL_SERVER_ERROR", "error_description", "")),
                request -> to("user.get").test(request) && request.json().get("start").asInt() == 50);
        assertThrows(IllegalStateException.class, () -> adapter().ask("users"));
        crm.clearUsers();
        assertEquals(JSON.createObjectNode(), adapter().ask("users"));
    }

    private record Refusal(int status, String error, String description, String result, boolean html) {
    }

    @TestFactory
    Stream<DynamicTest> everyRefusalHasItsMeaning() {
        return Stream.of(
                new Refusal(503, "QUERY_LIMIT_EXCEEDED", "Too many requests", "retryLater 0", false),
                new Refusal(503, "OVERLOAD_LIMIT", "blocked", "retryLater 600000", false),
                new Refusal(429, "OPERATION_TIME_LIMIT", "blocked", "retryLater 600000", false),
                new Refusal(500, "INTERNAL_SERVER_ERROR", "", "retryLater 0", false),
                new Refusal(500, "ERROR_UNEXPECTED_ANSWER", "", "retryLater 0", false),
                new Refusal(500, "PORTAL_DELETED", "", "retryLater 0", false),
                new Refusal(502, "", "Bad gateway", "retryLater 0", true),
                new Refusal(200, "", "Login", "retryLater 0", true),
                new Refusal(302, "", "Moved", "retryLater 0", true),
                new Refusal(400, "", "Bad request", "retryLater 0", true),
                new Refusal(401, "NO_AUTH_FOUND", "Wrong authorization data", "retryLater 0", false),
                new Refusal(401, "expired_token", "The access token provided has expired", "retryLater 0", false),
                new Refusal(403, "INVALID_CREDENTIALS", "", "retryLater 0", false),
                new Refusal(403, "insufficient_scope", "", "retryLater 0", false),
                new Refusal(403, "ACCESS_DENIED", "REST is available on commercial plans", "retryLater 0", false),
                new Refusal(403, "WRONG_AUTH_TYPE", "", "retryLater 0", false),
                new Refusal(404, "ERROR_METHOD_NOT_FOUND", "Method not found!", "retryLater 0", false),
                new Refusal(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "", "retryLater 0", false),
                new Refusal(400, "INVALID_REQUEST", "Https required", "retryLater 0", false),
                new Refusal(400, "ERROR_CORE", "Unsupported phone number format", "deadLetter 0", false),
                new Refusal(400, "ERROR_CORE", "Unexpected database error", "retryLater 0", false),
                new Refusal(400, "", "Some new reason", "deadLetter 0", false))
                .flatMap(refusal -> Stream.of("card", "call").map(operation -> DynamicTest.dynamicTest(operation + " " + refusal, () -> {
                    DeliverBitrix24RouteTest test = new DeliverBitrix24RouteTest();
                    try {
                        test.people();
                        test.isRefusedOnce(refusal, operation);
                    } finally {
                        test.stop();
                    }
                })));
    }

    private void isRefusedOnce(Refusal refusal, String operation) {
        StandIn.Reply reply = refusal.html ? new StandIn.Reply(refusal.status, "text/html", "<html>" + refusal.description, Map.of())
                : StandIn.Reply.json(refusal.status, Map.of("error", refusal.error, "error_description", refusal.description));
        crm.refuse(1, reply, to(operation.equals("card") ? REGISTER : "batch"));
        Map<String, Object> body = operation.equals("card") ? card("7") : call("7");
        Outcome outcome = send(operation, "leg-1", body);
        assertEquals(refusal.result, outcome.result() + " " + ((CrmAnswerException) outcome.cause()).retryAfterMs());
        delivered(operation, "leg-1", body);
        assertEquals(operation.equals("call") ? 1 : 0, crm.finishesOf("leg-1"));
    }

    @ParameterizedTest
    @CsvSource({"true, retryLater", "false, delivered"})
    void theServerOfARecordingMayNotBeReady(boolean failing, String result) {
        delivered("call", "leg-1", call("7"));
        crm.recordServerStatus(failing ? 404 : 200);
        assertEquals(result, send("recording", "leg-1", recording("7")).result());
        crm.recordServerStatus(200);
        delivered("recording", "leg-1", recording("7"));
    }

    @Test
    void aRecordingThatCannotBeTakenIsRefusedAndOneBeforeTheFinishWaits() {
        delivered("card", "leg-1", card("7"));
        later("recording", "leg-1", recording("7"));
        delivered("call", "leg-1", call("7"));
        Map<String, Object> ogg = recording("7");
        ogg.put("recordingUrl", "https://records.example/1.ogg");
        assertTrue(refused("recording", "leg-1", ogg).getMessage().contains("Wrong file extension"));
        crm.publicRecordingsOnly(true);
        Map<String, Object> local = recording("7");
        local.put("recordingUrl", "http://10.0.0.1/1.mp3");
        assertTrue(refused("recording", "leg-1", local).getMessage().contains("non-public address"));
        delivered("recording", "leg-1", recording("7"));
    }

    /** The server that keeps the recordings. */
    private static final class Records extends StandIn {

        private String type = "audio/mpeg";
        private String sound = "sound".repeat(200_000);
        private int status = 200;

        @Override
        protected Reply answer(Request request) {
            return new Reply(status, type, sound, Map.of());
        }
    }

    @ParameterizedTest
    @CsvSource({"audio/mpeg, rec?id=1, recording.mp3", "audio/x-wav, rec?id=1, recording.wav", "audio/mpeg, rec.wav?id=1, recording.wav"})
    void aRecordingIsUploadedIfBitrix24CannotFetchIt(String type, String path, String name) throws Exception {
        settings.put("callbridge.crm.bitrix24.recordings", "upload");
        try (Records records = new Records()) {
            records.type = type;
            Map<String, Object> body = recording("7");
            body.put("recordingUrl", records.origin() + "/" + path);
            delivered("card", "leg-1", card("7"));
            later("recording", "leg-1", body);
            delivered("call", "leg-1", call("7"));
            records.status = 404;
            assertTrue(later("recording", "leg-1", body).getMessage().contains("server of the recording answers 404"));
            records.status = 200;
            crm.lose(1, to("upload"));
            later("recording", "leg-1", body);
            delivered("recording", "leg-1", body);
            assertEquals(List.of(REGISTER, ATTACH, FINISH, ATTACH, "upload.json", ATTACH, "upload.json"), asked());
            StandIn.Request upload = crm.requests().get(crm.requests().size() - 1);
            assertTrue(upload.text().contains("filename=\"" + name + "\"") && upload.text().contains(records.sound));
            assertTrue(Long.parseLong(upload.header("Content-Length")) > records.sound.length());
            assertEquals(name, crm.effects().get(2).recording());
            assertEquals("rec", records.requests().get(0).path().substring(1).replaceFirst("\\.wav", ""));
            assertEquals(0, files());
        }
    }

    @Test
    void aRecordingThatIsTooLargeIsRefusedAndAnUploadThatFailsIsRepeated() throws Exception {
        settings.put("callbridge.crm.bitrix24.recordings", "upload");
        beans.put("recordingFile", new RecordingFile(1_000_000));
        try (Records records = new Records()) {
            Map<String, Object> body = recording("7");
            body.put("recordingUrl", records.origin() + "/rec.mp3");
            delivered("call", "leg-1", call("7"));
            records.sound += "!";
            assertTrue(refused("recording", "leg-1", body).getMessage().contains("too large"));
            records.sound = "sound";
            crm.refuse(1, StandIn.Reply.empty(500), to("upload"));
            later("recording", "leg-1", body);
            crm.refuse(1, StandIn.Reply.json(400, Map.of("error", "ERROR_CORE", "error_description", "File content is empty.")), to("upload"));
            refused("recording", "leg-1", body);
            delivered("recording", "leg-1", body);
            records.sound = "";
            records.status = 404;
            later("recording", "leg-1", body);
            records.down();
            later("recording", "leg-1", body);
            assertEquals(0, files());
        }
    }

    private static long files() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("callbridge-recording-")).count();
        }
    }

    @Test
    void theProbeSaysWhatAWebhookMayNotDo() {
        assertTrue(adapter().ask("probe").isMissingNode());
        crm.applicationOnly(true);
        String said = assertThrows(IllegalStateException.class, () -> adapter().ask("probe")).getMessage();
        for (String word : List.of("WRONG_AUTH_TYPE", "local application", "telephony, crm, user", "callbridge.crm.bitrix24.client-id",
                "callbridge.crm.bitrix24.client-secret", "callbridge.crm.bitrix24.refresh-token", "https://<portal>/rest")) {
            assertTrue(said.contains(word), said);
        }
        // The same of a call, which waits: alone and inside a batch.
        assertTrue(later("call", "leg-1", call("7")).getMessage().contains("local application"));
        assertTrue(later("card", "leg-2", card("7")).getMessage().contains("local application"));
        crm.applicationOnly(false);
        delivered("call", "leg-1", call("7"));
    }

    @ParameterizedTest
    @ValueSource(strings = {FINISH, SEARCH, "user.get"})
    void theProbeSaysWhichRightsAreMissing(String method) {
        crm.refuse(1, StandIn.Reply.json(403, Map.of("error", "insufficient_scope", "error_description", "The request requires higher privileges")),
                to(method));
        assertTrue(assertThrows(IllegalStateException.class, () -> adapter().ask("probe")).getMessage().contains("telephony, crm, user"));
    }

    // --- an application with tokens

    private Store application(Path folder) {
        Store store = TestStore.of("jdbc:sqlite:" + folder.resolve("store.db"));
        store.open();
        return application(store);
    }

    private Store application(Store store) {
        beans.put("crmToken", new OAuthToken(new CrmMemory(store), TestConfig.settings(TestConfig.of(Map.of(), Map.of())), new JsonAnswer(JSON, null), JSON));
        settings.putAll(Map.of("callbridge.crm.bitrix24.url", crm.restUrl(), "callbridge.crm.bitrix24.client-id", crm.clientId(),
                "callbridge.crm.bitrix24.client-secret", crm.clientSecret(), "callbridge.crm.bitrix24.refresh-token", crm.refreshToken(),
                "callbridge.crm.bitrix24.oauth-url", crm.origin()));
        crm.applicationOnly(true);
        return store;
    }

    private void restart(Store store) {
        adapter.close();
        adapter = null;
        beans.put("crmToken", new OAuthToken(new CrmMemory(store), TestConfig.settings(TestConfig.of(Map.of(), Map.of())), new JsonAnswer(JSON, null), JSON));
    }

    @Test
    void anApplicationRefreshesItsTokenWhenItIsOverAndOnlyThen(@TempDir Path folder) {
        Store store = application(folder);
        adapter().ask("probe");
        delivered("card", "leg-1", card("7"));
        assertEquals(1, crm.refreshes());
        crm.expireTokens();
        delivered("call", "leg-1", call("7"));
        delivered("recording", "leg-1", recording("7"));
        assertEquals(2, crm.refreshes());
        restart(store);
        delivered("card", "leg-2", card("8"));
        crm.expireTokens();
        delivered("call", "leg-2", call("8"));
        assertEquals(3, crm.refreshes());
        assertEquals(0, crm.refusedRefreshes());
        assertEquals(2, crm.finishesOf("leg-1") + crm.finishesOf("leg-2"));
    }

    @Test
    void manyDeliveriesRefreshOnce(@TempDir Path folder) throws Exception {
        application(folder);
        delivered("card", "leg-0", card("7"));
        crm.expireTokens();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<JsonNode>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                all.add(threads.submit(() -> adapter().find("+79161234567")));
            }
            for (Future<JsonNode> one : all) {
                assertTrue(one.get().isArray());
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(2, crm.refreshes());
        assertEquals(0, crm.refusedRefreshes());
    }

    /** Two replicas, each with tokens of its own in memory, that are over at the same time. */
    @Test
    void replicasRefreshOnce() throws Exception {
        String url = PostgresServer.shared().newDatabase();
        List<Store> stores = List.of(TestStore.of(url), TestStore.of(url));
        stores.forEach(Store::open);
        List<AdapterHarness> replicas = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            for (Store store : stores) {
                application(store);
                replicas.add(start());
            }
            Predicate<StandIn.Request> oauth = request -> request.path().equals("/oauth/token/");
            crm.slow(2, Duration.ofMillis(300), oauth);
            for (int round = 1; round <= 2; round++) {
                List<Future<JsonNode>> all = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    AdapterHarness replica = replicas.get(i % 2);
                    all.add(threads.submit(() -> replica.find("+79161234567")));
                }
                for (Future<JsonNode> one : all) {
                    assertTrue(one.get().isArray());
                }
                assertEquals(round, crm.refreshes());
                crm.expireTokens();
            }
            assertEquals(0, crm.refusedRefreshes());
            assertEquals(2, crm.requests().stream().filter(oauth).count());
        } finally {
            threads.shutdownNow();
            replicas.forEach(AdapterHarness::close);
        }
    }

    /** Who asks for new tokens and dies leaves them to another one. */
    @Test
    void aClaimHoldsUntilItIsReleasedOrRunsOut() {
        String url = PostgresServer.shared().newDatabase();
        Store store = TestStore.of(url);
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

    @Test
    void theBucketOfThePortalNeverOverflows(@TempDir Path folder) throws Exception {
        Store store = TestStore.of("jdbc:sqlite:" + folder.resolve("store.db"));
        store.open();
        Permits permits = new Permits(store);
        // Ten times as fast as it is, which leaves a tenth of the time for a request to be late.
        crm.bucket(50, 20);
        beans.put("crmRate", new CrmRate(permits, TestConfig.settings(TestConfig.of(Map.of("callbridge.crm.active", "bitrix24",
                "callbridge.crm.bitrix24.url", crm.webhookUrl(), "callbridge.crm.bitrix24.rate", "20"), Map.of()))));
        while (permits.take("bitrix24", 1e9, 46, 0).join() > 0) {
            Thread.onSpinWait();
        }
        adapter();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<JsonNode>> all = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                all.add(threads.submit(() -> adapter().find("+79161234567")));
            }
            for (Future<JsonNode> one : all) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(0, crm.refusedByLimit());
        assertTrue(crm.highestLevel() > 15 && crm.highestLevel() <= 50, () -> String.valueOf(crm.highestLevel()));
    }

    @Test
    void aRefreshTokenThatIsNoGoodIsForTheAdministrator(@TempDir Path folder) {
        Store store = application(folder);
        delivered("card", "leg-1", card("7"));
        String good = crm.refreshToken();
        settings.put("callbridge.crm.bitrix24.refresh-token", "not-a-token");
        restart(store);
        // The tokens that are there count on.
        delivered("call", "leg-1", call("7"));
        crm.expireTokens();
        delivered("card", "leg-2", card("7"));
        assertNotEquals(good, crm.refreshToken());
        assertEquals(1, crm.refusedRefreshes());
        settings.put("callbridge.crm.bitrix24.client-id", "local.another");
        restart(store);
        assertTrue(later("card", "leg-3", card("7")).getMessage().contains("invalid_client"));
    }

    @Test
    void theTokenOfANewInstallationReplacesADeadChain(@TempDir Path folder) {
        Store store = application(folder);
        delivered("card", "leg-1", card("7"));
        crm.expireTokens();
        crm.advance(Duration.ofDays(200));
        assertTrue(later("call", "leg-1", call("7")).getMessage().contains("install the application again"));
        int refused = crm.refusedRefreshes();
        // It is not asked again for a token that it has refused.
        later("call", "leg-1", call("7"));
        assertEquals(refused, crm.refusedRefreshes());
        crm.advance(Duration.ofDays(-200));
        settings.put("callbridge.crm.bitrix24.refresh-token", crm.refreshToken());
        restart(store);
        delivered("call", "leg-1", call("7"));
        assertEquals(1, crm.finishesOf("leg-1"));
    }

    @Test
    void anOAuthServerThatIsAwayIsAskedLater(@TempDir Path folder) {
        application(folder);
        Predicate<StandIn.Request> oauth = request -> request.path().equals("/oauth/token/");
        crm.refuse(1, StandIn.Reply.empty(502), oauth);
        later("card", "leg-1", card("7"));
        crm.refuse(1, StandIn.Reply.json(402, Map.of("error", "PAYMENT_REQUIRED")), oauth);
        assertTrue(later("card", "leg-1", card("7")).getMessage().contains("PAYMENT_REQUIRED"));
        delivered("card", "leg-1", card("7"));
        assertEquals(Set.of("1"), Set.of(String.valueOf(crm.refreshes())));
        assertNull(crm.requests().get(crm.requests().size() - 1).query());
        assertFalse(crm.requests().stream().filter(to(REGISTER)).anyMatch(request -> request.headers().containsKey("Authorization")));
    }
}
