package io.callbridge.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What is kept of a call: its events, each once (rule R5), what was decided and why, and when to look at which leg again. It only grows,
 * by bytes that are written once, so that a look at a long call costs what it adds. Not safe for threads.
 */
public final class Document {

    /** Instead of a rule: the look failed. */
    public static final String FAILED = "error";

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Why something was decided about a card, a call or a missed call; {@code legId} empty: about the whole call. */
    @RegisterForReflection
    public record Decision(String legId, String topic, String rule, String reason, long at) {
    }

    private final List<Event> events = new ArrayList<>();
    private final Set<Object> identities = new HashSet<>();
    private final List<Decision> decisions = new ArrayList<>();
    private final Map<String, String> reasons = new HashMap<>();
    private final Map<String, Long> timers = new TreeMap<>();
    private final ByteArrayOutputStream eventBytes = new ByteArrayOutputStream(512);
    private final ByteArrayOutputStream decisionBytes = new ByteArrayOutputStream(256);

    @RegisterForReflection
    record Kept(List<Event.Kept> events, List<Decision> decisions, Map<String, Long> timers) {
    }

    public static Document of(byte[] bytes) {
        try {
            Kept kept = JSON.readValue(bytes, Kept.class);
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
        return Collections.unmodifiableList(events);
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
        if (!identities.add(List.of(event.call().legId(), event.identity()))) {
            return false;
        }
        events.add(event);
        append(eventBytes, event.json());
        return true;
    }

    /** Whether an event, or one that is equal to it, is among them. */
    public boolean has(Event event) {
        return identities.contains(List.of(event.call().legId(), event.identity()));
    }

    /** Takes away what is another call's. */
    public void remove(List<Event> others) {
        List<Event> kept = events.stream().filter(event -> others.stream().noneMatch(other -> other.call().legId().equals(event.call().legId())
                && other.identity().equals(event.identity()))).toList();
        events.clear();
        identities.clear();
        eventBytes.reset();
        kept.forEach(this::add);
    }

    /** @return {@code false}: that was the last thing decided about it */
    public boolean decide(Decision decision) {
        if (decision.reason().equals(reasons.put(decision.legId() + " " + decision.topic(), decision.reason()))) {
            return false;
        }
        decisions.add(decision);
        append(decisionBytes, bytes(decision));
        return true;
    }

    /** The last thing decided about a leg is that a look failed, and is taken again. */
    public boolean failed(String legId) {
        String reason = reasons.get(legId + " call");
        return reason != null && decisions.stream().anyMatch(decision -> decision.rule().equals(FAILED) && decision.reason().equals(reason));
    }

    /** Roughly what it takes in the file. */
    public int size() {
        return eventBytes.size() + decisionBytes.size();
    }

    public byte[] bytes() {
        ByteArrayOutputStream all = new ByteArrayOutputStream(size() + 128);
        all.writeBytes("{\"events\":[".getBytes(StandardCharsets.UTF_8));
        all.writeBytes(eventBytes.toByteArray());
        all.writeBytes("],\"decisions\":[".getBytes(StandardCharsets.UTF_8));
        all.writeBytes(decisionBytes.toByteArray());
        all.writeBytes("],\"timers\":".getBytes(StandardCharsets.UTF_8));
        all.writeBytes(bytes(timers));
        all.write('}');
        return all.toByteArray();
    }

    private static void append(ByteArrayOutputStream to, byte[] json) {
        if (to.size() > 0) {
            to.write(',');
        }
        to.writeBytes(json);
    }

    private static byte[] bytes(Object value) {
        try {
            return JSON.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
