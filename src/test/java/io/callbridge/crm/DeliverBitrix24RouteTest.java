package io.callbridge.crm;

import static io.callbridge.crm.Bitrix24StandIn.to;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.deliver.JsonAnswer;
import io.callbridge.deliver.OAuthToken;
import io.callbridge.deliver.RecordingFile;
import io.callbridge.platform.Time;
import io.callbridge.routes.AdapterHarness.Outcome;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.support.TestConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The adapter of Bitrix24 against a portal that takes one finish for a call, and forgets what was registered after half an hour:
 * what the scenarios do not reach, lost answers, refusals, limits, tokens, files.
 */
class DeliverBitrix24RouteTest extends Effects {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CALLS = "telephony.externalCall.";
    private static final String FINISH = CALLS + "finish";
    private static final String SEARCH = CALLS + "searchCrmEntities";
    private static final String URL = "https://records.example/1.mp3";

    private final Bitrix24StandIn crm = new Bitrix24StandIn();
    private final Map<String, Object> beans = new HashMap<>();
    private final Map<String, String> settings = new HashMap<>(Map.of("callbridge.crm.bitrix24.url", crm.webhookUrl()));
    private boolean application;

    @BeforeEach
    void people() {
        crm.user(7, "101", true);
        crm.user(8, "102", true);
        crm.user(9, "103", false);
    }

    @AfterEach
    void stop() {
        if (!beans.isEmpty()) {
            restart();
        }
        crm.close();
        Time.follow(Clock.systemUTC());
    }

    private AdapterHarness adapter() {
        if (bridge == null) {
            bridge = AdapterHarness.of("bitrix24", settings, beans);
        }
        return bridge;
    }

    private void set(String key, String value) {
        settings.put("callbridge.crm.bitrix24." + key, value);
        if (application) {
            restart();
        }
        bridge = null;
    }

    /** Whatever is not in the store is forgotten. */
    private void restart() {
        if (bridge != null) {
            bridge.close();
            bridge = null;
        }
        if (application) {
            beans.put("crmToken", new OAuthToken(AdapterHarness.MEMORY, TestConfig.settings(TestConfig.of(Map.of(), Map.of())),
                    new JsonAnswer(JSON, null), JSON));
        }
    }

    /**
     * Words of a story about the leg {@code leg-1}, or about another one ({@code call@leg-2}): an effect, with what is special about
     * it behind a colon, which is delivered, to be sent later ({@code !}) or refused ({@code !!}); or what happens to Bitrix24
     * ({@code lose:register/TYPE=1}: the answer to the next such request with such a text is lost).
     *
     * @return what the last effect ended with
     */
    private Outcome play(String story) {
        Outcome last = null;
        for (String word : story.strip().split(" +")) {
            String[] parts = word.replace("!", "").split(":", 2);
            String special = parts.length == 1 ? "" : parts[1];
            switch (parts[0]) {
                case "lose" -> {
                    String[] request = special.split("/");
                    crm.lose(1, to(request[0].equals("batch") ? "batch" : CALLS + request[0])
                            .and(sent -> request.length == 1 || sent.text().contains(request[1])));
                }
                case "busy" -> crm.refuse(1, refusal(503, "QUERY_LIMIT_EXCEEDED", ""), to(CALLS + special));
                case "block" -> crm.block(CALLS + special);
                case "unblock" -> crm.block();
                case "down" -> crm.down();
                case "up" -> crm.up();
                case "contact" -> crm.contact(KNOWN, 797, "Ivanov", Long.parseLong(special));
                case "hire", "fire" -> crm.user(Long.parseLong(special), "103", parts[0].equals("hire"));
                case "records" -> crm.recordServerStatus = Integer.parseInt(special);
                case "forgotten" -> AdapterHarness.MEMORY.keep("bitrix24", "main leg-1", "call-id", "externalCall.0.1").join();
                case "restart" -> restart();
                case "probe" -> adapter().ask("probe");
                case "expire" -> crm.expireTokens();
                case "install" -> crm.install();
                case "token" -> set("refresh-token", special.isEmpty() ? crm.refreshToken : special);
                case "client" -> set("client-id", special);
                case "oauth" -> crm.refuse(1, StandIn.Reply.json(Integer.parseInt(special), Map.of("error", "PAYMENT_REQUIRED")),
                        request -> request.path().equals("/oauth/token/"));
                case "minutes" -> {
                    crm.advance(Duration.ofMinutes(Integer.parseInt(special)));
                    Time.follow(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(Integer.parseInt(special))));
                }
                default -> {
                    String[] about = parts[0].split("@");
                    Outcome outcome = adapter().deliver(about[0], about.length == 1 ? "leg-1" : about[1], body(about[0], special));
                    assertEquals(word.endsWith("!!") ? "deadLetter" : word.endsWith("!") ? "retryLater" : "delivered", outcome.result(),
                            () -> word + ": " + outcome.cause());
                    last = outcome;
                }
            }
        }
        return last;
    }

    private String saidTo(String story) {
        return play(story).cause().getMessage();
    }

    private static Map<String, Object> body(String operation, String special) {
        String number = Map.of("hidden", "", "anonymous", "anonymous", "foreign", "79161234567").getOrDefault(special, KNOWN);
        String user = special.equals("nobody") ? "" : special.matches("[0-9]+|anna") ? special : "7";
        boolean endless = special.equals("endless");
        Map<String, Object> call = special.matches("busy|no-answer|cancelled|failed|unknown") ? call("out", special, number, user, 0)
                : with(call("in", endless ? "unknown" : "answered", number, user, endless ? 0 : 95), "answeredAt", "2026-11-27T09:00:09Z");
        return switch (operation) {
            case "card" -> card(number, user);
            case "card-end" -> Map.of("reason", special);
            case "missed" -> missed(number, user);
            case "recording" -> with(call, "recordingId", "1", "recordingUrl", special.startsWith("http") ? special : URL);
            default -> call;
        };
    }

    private static StandIn.Reply refusal(int status, String error, String description) {
        return StandIn.Reply.json(status, Map.of("error", error, "error_description", description));
    }

    /** Methods of the requests, look-ups left out. */
    private String asked() {
        return crm.requests().stream().map(request -> request.path().replaceFirst(".*/", "").replace(CALLS, ""))
                .filter(method -> !method.equals("searchCrmEntities")).collect(Collectors.joining(" "));
    }

    private JsonNode request(String method) {
        return crm.requests().stream().filter(to(method)).reduce((first, second) -> second).orElseThrow().json();
    }

    private String effects() {
        return crm.effects().stream().map(effect -> effect.kind() + " " + effect.user()
                + (effect.status() == null ? "" : " " + effect.status() + " " + effect.seconds())
                + (URL.equals(effect.recording()) ? " recorded" : "")).collect(Collectors.joining(", "));
    }

    /** A helper with the name of a capability would get effects that are not meant for it. */
    @Test
    void theseAreTheCapabilities() {
        assertEquals("lookup users probe card card-end call recording missed",
                Stream.of("lookup", "users", "probe", "card", "answer", "card-end", "call", "recording", "missed", "task")
                        .filter(adapter()::can).collect(Collectors.joining(" ")));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(delimiter = '|', textBlock = """
            from the card to the recording     | card card-end:ended call recording | register finish attachRecord \
            | CARD 7, CARD_END 7, CALL 7 200 95 recorded
            somebody else took the call        | card card-end:answered-elsewhere | register hide | CARD 7, CARD_END 7
            no card was shown                  | card-end:unanswered | '' | ''
            the finish took the card away      | card call card-end:unanswered | register finish hide | CARD 7, CARD_END 7, CALL 7 200 95
            each leg has its own call          | card card@leg-2:8 call call@leg-2:8 recording \
            | register register finish finish attachRecord \
            | CARD 7, CARD 8, CARD_END 7, CALL 7 200 95 recorded, CARD_END 8, CALL 8 200 95
            one request without a card         | call recording | batch attachRecord | CALL 7 200 95 recorded
            a long call has the id of its card | card minutes:180 call | register finish | CARD 7, CARD_END 7, CALL 7 200 95
            one finish, whatever changes       | card call:endless call call:no-answer | register finish | CARD 7, CARD_END 7, CALL 7 200 0
            busy                               | call:busy | batch | CALL 7 486 0
            no answer                          | call:no-answer | batch | CALL 7 304 0
            cancelled                          | call:cancelled | batch | CALL 7 603-S 0
            failed                             | call:failed | batch | CALL 7 503 0
            nobody knows                       | call:unknown | batch | CALL 7 OTHER 0
            missed by the responsible          | contact:8 missed missed | batch | MISSED 8 304 0
            the responsible has left           | contact:9 missed | batch batch | MISSED 7 304 0
            so he has when answers are lost    | contact:9 lose:batch/USER_ID=7 missed! missed | batch batch register finish | MISSED 7 304 0
            as an answer said that got lost    | contact:9 lose:batch missed! missed | batch register register finish | MISSED 7 304 0
            who left before the finish         | hire:9 contact:9 block:finish missed! unblock fire:9 missed | batch finish finish \
            | MISSED 7 304 0
            so has who was rung                | missed:9!! | batch | ''
            nobody was rung                    | contact:9 missed:nobody!! | batch | ''
            a missed call and a leg of its id  | missed call | batch batch | MISSED 7 304 0, CALL 7 200 95
            a missed call, answers lost        | lose:batch missed! lose:register missed! missed missed | batch register register finish \
            | MISSED 7 304 0
            no employee                        | card:nobody missed:nobody!! call:anna!! | '' | ''
            an inactive employee               | card:9!! call:9!! hire:9 call:9 | register batch register finish | CALL 9 200 95
            a recording of no call             | call:hidden!! recording!! | '' | ''
            a recording before the finish      | card recording! call recording | register attachRecord finish attachRecord \
            | CARD 7, CARD_END 7, CALL 7 200 95 recorded
            a recording that is not ready      | call records:404 recording! records:200 recording | batch attachRecord attachRecord \
            | CALL 7 200 95 recorded
            after 30 minutes nobody can tell   | lose:batch call! minutes:31 call call recording | batch batch attachRecord \
            | CALL 7 200 95, CALL 7 200 95 recorded
            """)
    void whatIsToldWhen(String what, String story, String requests, String effects) {
        play(story);
        assertEquals(requests, asked());
        assertEquals(effects, effects());
        assertEquals(crm.requests().size(), bridge.permits());
    }

    /** It costs the request once more, and the call is there once. Afterwards nothing is sent again, but the recording finds its call. */
    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(delimiter = '|', textBlock = """
            the card                | lose:register card! card call | register register finish
            the card twice          | lose:register card! lose:register card! card call | register register register finish
            the card, not again     | lose:register card! minutes:20 call | register batch
            the finish              | card lose:finish call! call | register finish finish
            the finish twice        | card lose:finish call! lose:finish call! restart call | register finish finish finish
            both                    | lose:batch call! call | batch register finish
            both, then the card     | lose:batch call! lose:register call! restart call | batch register register finish
            both, then the finish   | lose:batch call! lose:finish call! call | batch register finish finish
            both, within 25 minutes | lose:batch call! minutes:24 call | batch register finish
            both, after 25 minutes  | lose:batch call! minutes:27 call | batch batch
            the recording           | call lose:attachRecord recording! lose:attachRecord recording! | batch attachRecord attachRecord
            forgotten by Bitrix24   | forgotten call | finish batch
            not sent is not lost    | forgotten busy:finish call! call | finish finish batch
            the batch never came    | down call:foreign! call:foreign! up call:foreign | register finish
            the finish was refused  | block:finish call! unblock call | batch finish
            """)
    void whateverAnswerIsLostTheCallIsThereOnce(String what, String story, String requests) {
        play(story);
        assertEquals(requests, asked());
        assertEquals(1, crm.callIdsOf("leg-1").size());
        play("call recording");
        assertEquals(requests + " attachRecord", asked());
        assertTrue(effects().endsWith("CALL 7 200 95 recorded"), this::effects);
        assertEquals(1, crm.effects().stream().filter(effect -> effect.seconds() != null && effect.id().equals("leg-1")).count());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            missed:nobody!!                                | default-user
            call:anna!!                                    | is no id of one: set the user of the extension
            call:hidden!!                                  | callbridge.crm.bitrix24.hidden-number
            call:hidden!! recording!!                      | not in Bitrix24
            call:9!!                                       | User is not found or is not active
            call recording:https://records.example/1.ogg!! | Wrong file extension
            """)
    void aRefusalSaysWhatToDo(String story, String text) {
        String said = saidTo(story);
        assertTrue(said.contains(text), said);
    }

    /** The fields that the settings and the look-up decide on; all others are those of the first row. No new lead is no refusal. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            card                             | {}                              | {}
            contact:8 card                   | {}                              | {"CRM_ENTITY_TYPE":"CONTACT","CRM_ENTITY_ID":797}
            lose:batch call! call            | {}                              | {"SHOW":0}
            lose:batch call:busy! call:busy  | {}                              | {"SHOW":0,"TYPE":1}
            card                             | {"line-number":"true"}          | {"LINE_NUMBER":"+74950000001"}
            card                             | {"unknown-caller":"create"}     | {"CRM_CREATE":1}
            card:anonymous                   | {"hidden-number":"00000000000"} | {"PHONE_NUMBER":"00000000000"}
            """)
    void whatARegistrationSays(String story, String more, String differs) throws IOException {
        JSON.readTree(more).properties().forEach(setting -> set(setting.getKey(), setting.getValue().asText()));
        Map<String, Object> expected = new HashMap<>(Map.of("USER_ID", 7, "PHONE_NUMBER", KNOWN, "TYPE", 2, "CALL_START_DATE",
                "2026-11-27T09:00:05+00:00", "CRM_CREATE", 0, "SHOW", 1, "EXTERNAL_CALL_ID", "leg-1"));
        JSON.readTree(differs).properties().forEach(field -> expected.put(field.getKey(), field.getValue()));
        play(story);
        assertEquals(JSON.valueToTree(expected), request(CALLS + "register"));
        if (story.endsWith("call")) {
            assertEquals(JSON.valueToTree(Map.of("CALL_ID", crm.callIdsOf("leg-1").get(0), "USER_ID", 7, "DURATION", 95,
                    "STATUS_CODE", "200")), request(FINISH));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"hidden", "anonymous"})
    void aHiddenNumberIsWrittenAsTheSettingSays(String number) {
        String story = "card:%1$s call:%1$s".formatted(number);
        play(story + "!!");
        set("hidden-number", "skip");
        assertEquals("its number is hidden (callbridge.crm.bitrix24.hidden-number=skip)", play(story).skipped());
        play("recording");
        assertEquals(List.of(), crm.requests());
        set("hidden-number", "00000000000");
        play(story);
        assertEquals("register finish", asked());
    }

    @Test
    void aLookupAnswersAllWhoHaveTheNumber() {
        assertEquals(JSON.createArrayNode(), adapter().find(KNOWN));
        crm.contact("8 (916) 123-45-67", 797, "Ivanov", 8);
        crm.client("COMPANY", KNOWN, 12, "Horns and hooves", 7);
        assertEquals(JSON.valueToTree(List.of(Map.of("type", "CONTACT", "id", 797, "name", "Ivanov", "responsible", 8),
                Map.of("type", "COMPANY", "id", 12, "name", "Horns and hooves", "responsible", 7))), adapter().find(KNOWN));
        crm.refuse(1, refusal(400, "", "CRM is not installed"), to(SEARCH));
        assertEquals(JSON.createArrayNode(), adapter().find(KNOWN));
        crm.refuse(1, refusal(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"), to(SEARCH));
        assertThrows(IllegalStateException.class, () -> adapter().find(KNOWN));
    }

    @Test
    void theUsersOfAllPagesOrNone() {
        for (int id = 10; id <= 120; id++) {
            crm.user(id, id % 10 == 0 ? "" : String.valueOf(1000 + id), id != 119);
        }
        JsonNode users = adapter().users();
        // Of 7, 8 and 10 to 120 all but one, and without the twelve who have no number.
        assertEquals(100, users.size());
        assertEquals("118", users.get("1118").asText());
        assertEquals(3, crm.requests().size());
        crm.refuse(1, refusal(500, "INTERNAL_SERVER_ERROR", ""),
                request -> to("user.get").test(request) && request.json().get("start").asInt() == 50);
        assertThrows(IllegalStateException.class, () -> adapter().users());
        crm.refuse(1, StandIn.Reply.json(200, Map.of("result", List.of())), to("user.get"));
        assertEquals(JSON.createObjectNode(), adapter().users());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            503 | QUERY_LIMIT_EXCEEDED           | Too many requests                        | later 0
            503 | OVERLOAD_LIMIT                 | blocked                                  | later 600000
            429 | OPERATION_TIME_LIMIT           | blocked                                  | later 600000
            500 | INTERNAL_SERVER_ERROR          | ''                                       | later 0
            500 | ERROR_UNEXPECTED_ANSWER        | ''                                       | later 0
            500 | PORTAL_DELETED                 | ''                                       | later 0
            502 | <html>                         | Bad gateway                              | later 0
            200 | <html>                         | Login                                    | later 0
            302 | <html>                         | Moved                                    | later 0
            400 | <html>                         | Bad request                              | later 0
            401 | NO_AUTH_FOUND                  | Wrong authorization data                 | later 0
            401 | expired_token                  | The access token provided has expired    | later 0
            403 | INVALID_CREDENTIALS            | ''                                       | later 0
            403 | insufficient_scope             | ''                                       | later 0
            403 | ACCESS_DENIED                  | REST is available on commercial plans    | later 0
            403 | WRONG_AUTH_TYPE                | ''                                       | later 0
            404 | ERROR_METHOD_NOT_FOUND         | Method not found!                        | later 0
            405 | ERROR_BATCH_METHOD_NOT_ALLOWED | ''                                       | later 0
            400 | INVALID_REQUEST                | Https required                           | later 0
            400 | ERROR_CORE                     | Unsupported phone number format          | dead 0
            400 | ERROR_CORE                     | Unexpected database error                | later 0
            400 | ''                             | Some new reason                          | dead 0
            """)
    void everyRefusalHasItsMeaning(int status, String error, String description, String result) {
        StandIn.Reply reply = error.equals("<html>") ? new StandIn.Reply(status, "text/html", error + description, Map.of())
                : refusal(status, error, description);
        crm.refuse(1, reply, to(CALLS + "register"));
        crm.refuse(1, reply, to("batch"));
        for (String effect : List.of("card@leg-1", "call@leg-2")) {
            Outcome outcome = play(effect + (result.startsWith("dead") ? "!!" : "!"));
            assertEquals(result.replaceFirst(".* ", ""), "" + ((CrmAnswerException) outcome.cause()).retryAfterMs);
            play(effect);
        }
        assertEquals("CARD 7, CALL 7 200 95", effects());
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
        set("recordings", "upload");
        try (Records records = new Records()) {
            records.type = type;
            String recording = "recording:" + records.origin() + "/" + path;
            play("card %1$s! call".formatted(recording));
            records.status = 404;
            assertTrue(saidTo(recording + "!").contains("server of the recording answers 404"));
            records.status = 200;
            crm.lose(1, to("upload"));
            play("%1$s! %1$s".formatted(recording));
            assertEquals("register attachRecord finish attachRecord upload.json attachRecord upload.json", asked());
            StandIn.Request upload = crm.requests().get(crm.requests().size() - 1);
            assertTrue(upload.text().contains("filename=\"" + name + "\"") && upload.text().contains(records.sound));
            assertTrue(Long.parseLong(upload.header("Content-Length")) > records.sound.length());
            assertEquals(name, crm.effects().get(2).recording());
            assertEquals("/" + path.replaceFirst("[?].*", ""), records.requests().get(0).path());
            assertEquals(crm.requests().size(), bridge.permits());
        }
        assertNoFileIsLeft();
    }

    @Test
    void aRecordingThatIsTooLargeIsRefusedAndAnUploadThatFailsIsRepeated() throws Exception {
        set("recordings", "upload");
        beans.put("recordingFile", new RecordingFile(1_000_000));
        try (Records records = new Records()) {
            String recording = "recording:" + records.origin() + "/rec.mp3";
            records.sound += "!";
            assertTrue(saidTo("call " + recording + "!!").contains("too large"));
            records.sound = "sound";
            crm.refuse(1, StandIn.Reply.empty(500), to("upload"));
            play(recording + "!");
            crm.refuse(1, refusal(400, "ERROR_CORE", "File content is empty."), to("upload"));
            play("%1$s!! %1$s".formatted(recording));
            records.sound = "";
            records.status = 404;
            play(recording + "!");
            records.down();
            play(recording + "!");
        }
        assertNoFileIsLeft();
    }

    private static void assertNoFileIsLeft() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            assertEquals(0, files.filter(file -> file.getFileName().toString().startsWith("callbridge-recording-")).count());
        }
    }

    @Test
    void theProbeSaysWhatAWebhookMayNotDo() {
        assertTrue(adapter().ask("probe").isMissingNode());
        crm.applicationOnly = true;
        String said = assertThrows(IllegalStateException.class, () -> adapter().ask("probe")).getMessage();
        for (String word : List.of("WRONG_AUTH_TYPE", "local application", "telephony, crm, user", "callbridge.crm.bitrix24.client-id",
                "callbridge.crm.bitrix24.client-secret", "callbridge.crm.bitrix24.refresh-token", "https://<portal>/rest")) {
            assertTrue(said.contains(word), said);
        }
        // The same of a call, which waits: alone and inside a batch.
        assertTrue(saidTo("call!").contains("local application"));
        assertTrue(saidTo("card@leg-2!").contains("local application"));
        crm.applicationOnly = false;
        play("call");
    }

    @ParameterizedTest
    @ValueSource(strings = {FINISH, SEARCH, "user.get"})
    void theProbeSaysWhichRightsAreMissing(String method) {
        crm.refuse(1, refusal(403, "insufficient_scope", "The request requires higher privileges"), to(method));
        assertTrue(assertThrows(IllegalStateException.class, () -> adapter().ask("probe")).getMessage().contains("telephony, crm, user"));
    }

    /** That many deliveries of several replicas ask for a token once is in AdapterLimitsIT. */
    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(delimiter = '|', textBlock = """
            a new one when it is over       | 3 0 | ''                            | probe card expire call recording restart card@leg-2 expire call@leg-2
            a wrong one is tried once       | 3 1 | ''                            | card token:none call expire card@leg-2
            another application             | 1 1 | invalid_client                | card client:another card!
            a refused one is not sent again | 1 1 | install the application again | card install call! call!
            a new installation              | 2 1 | ''                            | card install call! token call
            the server is away              | 1 0 | ''                            | oauth:502 card! oauth:402 card! card
            the server wants money          | 0 0 | PAYMENT_REQUIRED              | oauth:402 card!
            """)
    void anApplicationHasTokens(String what, String refreshes, String said, String story) {
        settings.putAll(Map.of("callbridge.crm.bitrix24.url", crm.restUrl(), "callbridge.crm.bitrix24.client-id", Bitrix24StandIn.CLIENT_ID,
                "callbridge.crm.bitrix24.client-secret", Bitrix24StandIn.CLIENT_SECRET, "callbridge.crm.bitrix24.refresh-token",
                crm.refreshToken, "callbridge.crm.bitrix24.oauth-url", crm.origin()));
        crm.applicationOnly = true;
        application = true;
        Outcome last = play("restart " + story);
        assertEquals(refreshes, crm.refreshes + " " + crm.refusedRefreshes);
        assertTrue(String.valueOf(last.cause()).contains(said), () -> "" + last.cause());
    }
}
