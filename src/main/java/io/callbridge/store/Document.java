package io.callbridge.store;

import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What is kept of a call: its events, each once (rule R5), what was decided and why, and when to evaluate which leg again. It only grows,
 * by bytes that are written once, so that an evaluation of a long call costs what it adds. Not safe for threads.
 */
public final class Document {

    /** Instead of a rule: the evaluation failed. */
    public static final String FAILED = "error";

    /** Why something was decided about a card, a call or a missed call; {@code legId} empty: about the whole call. */
    @RegisterForReflection
    public record Decision(String legId, String topic, String rule, String reason, long at) {
    }

    private final Map<Object, Event> events = new LinkedHashMap<>();
    private final List<Decision> decisions = new ArrayList<>();
    private final Map<String, String> reasons = new HashMap<>();
    private final Map<String, Long> timers = new TreeMap<>();
    /** Their JSON, with commas. */
    private final ByteArrayOutputStream decided = new ByteArrayOutputStream(256);
    private int eventSize;

    @RegisterForReflection
    record Kept(List<Event.Kept> events, List<Decision> decisions, Map<String, Long> timers) {
    }

    public static Document of(byte[] bytes) {
        try {
            Kept kept = Event.JSON.readValue(bytes, Kept.class);
            Document document = new Document();
            kept.events.forEach(event -> document.add(event.event()));
            kept.decisions.forEach(document::decide);
            document.timers.putAll(kept.timers);
            return document;
        } catch (IOException e) {
            throw new StoreException("unreadable document of a call", e);
        }
    }

    /** In order of arrival. */
    public List<Event> events() {
        return List.copyOf(events.values());
    }

    /** Oldest first. */
    public List<Decision> decisions() {
        return Collections.unmodifiableList(decisions);
    }

    /** By leg, milliseconds since 1970; empty name: was the call missed? */
    public Map<String, Long> timers() {
        return timers;
    }

    /** @return {@code false}: it is there already */
    public boolean add(Event event) {
        boolean added = events.putIfAbsent(event.key(), event) == null;
        eventSize += added ? event.json().length : 0;
        return added;
    }

    /** Whether an event, or one that is equal to it, is among them. */
    public boolean has(Event event) {
        return events.containsKey(event.key());
    }

    /** Takes away what is another call's. */
    public void remove(List<Event> others) {
        for (Event other : others) {
            Event gone = events.remove(other.key());
            eventSize -= gone == null ? 0 : gone.json().length;
        }
    }

    /** @return {@code false}: that was the last thing decided about it */
    public boolean decide(Decision decision) {
        if (decision.reason().equals(reasons.put(decision.legId() + " " + decision.topic(), decision.reason()))) {
            return false;
        }
        decisions.add(decision);
        write(decided, decided.size() > 0 ? "," : "");
        decided.writeBytes(Event.json(decision));
        return true;
    }

    /** The last thing decided about a leg is that an evaluation failed, and is taken again. */
    public boolean failed(String legId) {
        String reason = reasons.get(legId + " call");
        return reason != null && decisions.stream().anyMatch(decision -> decision.rule().equals(FAILED) && decision.reason().equals(reason));
    }

    /** Roughly what it takes in the file. */
    public int size() {
        return eventSize + decided.size();
    }

    public byte[] bytes() {
        ByteArrayOutputStream all = new ByteArrayOutputStream(size() + events.size() + 128);
        write(all, "{\"events\":[");
        for (Iterator<Event> each = events.values().iterator(); each.hasNext();) {
            all.writeBytes(each.next().json());
            write(all, each.hasNext() ? "," : "");
        }
        write(all, "],\"decisions\":[");
        all.writeBytes(decided.toByteArray());
        write(all, "],\"timers\":");
        all.writeBytes(Event.json(timers));
        write(all, "}");
        return all.toByteArray();
    }

    private static void write(ByteArrayOutputStream to, String text) {
        to.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}
