package io.callbridge.demo;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The calls that the demo PBX plays, one for each thing the bridge has to tell apart: {@code demo/calls.json}, in the form of call
 * scenarios. Names in braces are made up for each call: {@code phone1} and so on are employees who are free, {@code outside} and
 * {@code dialled} the other party, {@code did} what was called; any other is an id. All are played once before one is played again.
 */
final class DemoCalls {

    /** @param at milliseconds after the begin of the call */
    record Event(long at, Map<String, String> fields) {
    }

    /** @param parties no other call may have them before it has ended */
    record Call(List<Event> events, Set<String> parties) {
    }

    /** @param hidden the outside party may be somebody who hides his number @param events by time */
    @RegisterForReflection
    record Script(String title, boolean hidden, List<Step> events) {

        private Stream<String> phones() {
            return events.stream().flatMap(event -> event.fields.values().stream()).flatMap(value -> NAME.matcher(value).results())
                    .map(name -> name.group(1)).filter(name -> name.startsWith("phone")).collect(Collectors.toCollection(TreeSet::new)).stream();
        }
    }

    /** @param at seconds */
    @RegisterForReflection
    record Step(double at, Map<String, String> fields) {
    }

    private static final Pattern NAME = Pattern.compile("\\{(\\w+)}");
    private static final List<String> DIDS = List.of("74950000001", "74950000002");

    private final Random random = new Random();
    private final List<Script> scripts;
    /** The first round as it is written, for those who have just opened the page; later rounds are shuffled. */
    private final List<Script> deck;

    DemoCalls() {
        try (InputStream in = DemoCalls.class.getResourceAsStream("/demo/calls.json")) {
            scripts = new ObjectMapper().readValue(in, new TypeReference<List<Script>>() {
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        deck = new ArrayList<>(scripts);
    }

    /** A call for which enough employees are free, or nothing for now. */
    Optional<Call> next(Collection<String> busy) {
        List<String> free = DemoPeople.EMPLOYEES.stream().map(DemoPeople.Employee::extension).filter(extension -> !busy.contains(extension))
                .collect(Collectors.toCollection(ArrayList::new));
        Collections.shuffle(free, random);
        if (deck.isEmpty()) {
            deck.addAll(scripts);
            Collections.shuffle(deck, random);
        }
        // One that needs many phones stays in the deck until they are free, and the next round waits for it.
        Optional<Script> script = deck.stream().filter(one -> one.phones().count() <= free.size()).findFirst();
        script.ifPresent(deck::remove);
        return script.map(one -> call(one, free, busy));
    }

    private Call call(Script script, List<String> free, Collection<String> busy) {
        Map<String, String> names = new HashMap<>();
        script.phones().forEach(phone -> names.put(phone, free.get(names.size())));
        Set<String> parties = new TreeSet<>(names.values());
        String outside = outside(script.hidden, busy);
        parties.addAll(outside.isEmpty() ? Set.of() : Set.of(outside));
        names.put("outside", outside);
        // People dial the national form as often as the international one.
        names.put("dialled", outside.isEmpty() || random.nextBoolean() ? outside : "8" + outside.substring(2));
        names.put("did", DIDS.get(random.nextInt(DIDS.size())));
        return new Call(script.events.stream().map(step -> new Event(Math.round(step.at * 1000), fields(step, names))).toList(), parties);
    }

    private Map<String, String> fields(Step step, Map<String, String> names) {
        Map<String, String> fields = new LinkedHashMap<>(step.fields);
        fields.replaceAll((field, value) -> NAME.matcher(value).replaceAll(name -> names.computeIfAbsent(name.group(1), id -> id())));
        return fields;
    }

    private String id() {
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** Mostly somebody the CRM knows, sometimes a stranger, now and then nobody to be seen. */
    private String outside(boolean hiddenToo, Collection<String> busy) {
        int dice = random.nextInt(10);
        List<String> known = DemoPeople.CONTACTS.stream().map(DemoPeople.Contact::number).filter(number -> !busy.contains(number)).toList();
        return dice == 0 && hiddenToo ? "" : dice <= 2 || known.isEmpty() ? "+79000000" + (500 + random.nextInt(100))
                : known.get(random.nextInt(known.size()));
    }
}
