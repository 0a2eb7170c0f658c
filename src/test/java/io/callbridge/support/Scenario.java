package io.callbridge.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** One of the files in {@code src/test/resources/scenarios}: what the PBX sends, and what the CRM must have received. */
public final class Scenario {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FOLDER = "/scenarios";
    private static final String ONLY = System.getProperty("callbridge.test.scenarios");
    private static final String SEEDS = System.getProperty("callbridge.test.seeds");

    /** One request of the PBX. */
    public record Event(double at, Map<String, String> fields, Webhook.Wire wire, Expected answer) {

        @Override
        public String toString() {
            return fields.get("EventType") + " " + fields.get("SubCallID");
        }
    }

    /** The answer that the PBX must get. */
    public record Expected(Set<Integer> status, String type, String body) {

        private static final Expected OK = new Expected(Set.of(200), "text/plain", "OK");
    }

    private static final Pattern HEX_ID = Pattern.compile("[0-9a-f]{32}");

    private final JsonNode file;
    private final String id;
    private final String title;
    private final Map<String, String> settings;
    private final List<Event> events;
    private final JsonNode expect;

    private Scenario(JsonNode file) {
        this.file = file;
        id = file.get("id").asText();
        title = file.get("title").asText();
        settings = new LinkedHashMap<>();
        file.get("settings").fields().forEachRemaining(s -> settings.put(
                s.getKey().startsWith("callbridge.") ? s.getKey() : "callbridge.calls." + s.getKey(),
                s.getValue().asText()));
        events = new ArrayList<>();
        file.get("events").forEach(e -> events.add(event(e)));
        expect = file.get("expect");
    }

    /** All scenarios in the order of their names. */
    public static List<Scenario> all() {
        try (Stream<Path> files = Files.list(Path.of(Scenario.class.getResource(FOLDER).toURI()))) {
            return files.filter(f -> f.toString().endsWith(".json")).sorted(Comparator.comparing(Path::getFileName))
                    .map(Scenario::read).toList();
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("the scenarios cannot be read", e);
        }
    }

    /** All, unless a failure is looked into with {@code -Dcallbridge.test.scenarios=S15,S20b}. */
    public static List<Scenario> wanted() {
        return all().stream().filter(scenario -> ONLY == null || List.of(ONLY.split(",")).contains(scenario.id)).toList();
    }

    /** Fresh ones in every run, unless a failure is to be played again with {@code -Dcallbridge.test.seeds=1,2}. */
    public static long[] seeds() {
        return SEEDS == null ? new Random().longs(2, 0, 1_000_000).toArray() : Stream.of(SEEDS.split(",")).mapToLong(Long::parseLong).toArray();
    }

    /** One scenario by its id. */
    public static Scenario of(String id) {
        return all().stream().filter(s -> s.id.equals(id)).findFirst().orElseThrow();
    }

    /** The same scenario as another call: fresh ids in events and expectations. */
    public Scenario asAnotherCall(int number) {
        String text = HEX_ID.matcher(file.toString()).replaceAll(id -> UUID
                .nameUUIDFromBytes((id.group() + number).getBytes(StandardCharsets.UTF_8)).toString().replace("-", ""));
        try {
            return new Scenario(JSON.readTree(text));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String id() {
        return id;
    }

    public String title() {
        return title;
    }

    /** Full keys. */
    public Map<String, String> settings() {
        return settings;
    }

    public List<Event> events() {
        return events;
    }

    /** The expected requests of one kind: {@code cards}, {@code hidden}, {@code calls}, {@code missed}. */
    public JsonNode expected(String kind) {
        return expect.get(kind);
    }

    /** Legs whose cards must be shown. */
    public Set<String> cards() {
        Set<String> cards = new HashSet<>();
        expected("cards").forEach(card -> {
            if (!card.path("optional").asBoolean()) {
                cards.add(card.get("legId").asText());
            }
        });
        return cards;
    }

    public boolean nothingElse() {
        return expect.get("nothingElse").asBoolean();
    }

    /** The ids of the call and its legs, as they stand in paths. */
    public Set<String> ids() {
        Set<String> ids = new HashSet<>();
        for (Event event : events) {
            Stream.of("CallID", "SubCallID").map(event.fields()::get).filter(i -> i != null && !i.isBlank())
                    .forEach(i -> ids.add(i.strip().toLowerCase(Locale.ROOT)));
        }
        return ids;
    }

    private static Scenario read(Path file) {
        try {
            return new Scenario(JSON.readTree(file.toFile()));
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }

    private static Event event(JsonNode event) {
        Map<String, String> fields = new LinkedHashMap<>();
        event.get("fields").fields().forEachRemaining(f -> fields.put(f.getKey(), f.getValue().asText()));
        return new Event(event.get("at").asDouble(), fields, wire(event.get("wire"), List.copyOf(fields.keySet())),
                answer(event.get("answer")));
    }

    private static Webhook.Wire wire(JsonNode wire, List<String> names) {
        if (wire == null) {
            return Webhook.Wire.FORM;
        }
        String method = wire.path("method").asText("POST");
        boolean elsewhere = wire.has("query") || wire.has("body");
        Set<String> query = named(wire.get("query"), names);
        Set<String> body = named(wire.get("body"), names);
        if (!elsewhere) {
            (method.equals("GET") ? query : body).addAll(names);
        }
        return new Webhook.Wire(method, query, body, false, !"wrong".equals(wire.path("secret").asText()));
    }

    private static Set<String> named(JsonNode which, List<String> names) {
        Set<String> chosen = new HashSet<>();
        if (which == null) {
            return chosen;
        }
        if (which.isArray()) {
            which.forEach(n -> chosen.add(n.asText()));
            return chosen;
        }
        for (int i = 0; i < names.size(); i++) {
            boolean take = switch (which.asText()) {
                case "all" -> true;
                case "even" -> i % 2 == 0;
                case "odd" -> i % 2 == 1;
                default -> throw new IllegalArgumentException("unknown choice of fields " + which);
            };
            if (take) {
                chosen.add(names.get(i));
            }
        }
        return chosen;
    }

    private static Expected answer(JsonNode answer) {
        if (answer == null) {
            return Expected.OK;
        }
        Set<Integer> status = new HashSet<>();
        answer.path("status").forEach(s -> status.add(s.asInt()));
        return new Expected(status, answer.path("type").asText(null), answer.path("body").asText(null));
    }
}
