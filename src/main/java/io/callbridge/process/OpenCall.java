package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Time;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls.Part;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.Delivery;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A call in memory: its document, as it is or will soon be stored. One thread at a time works at it. */
final class OpenCall {

    /** An object takes more than its JSON. */
    private static final int WEIGHT = 8;

    final String pbx;
    final String callId;
    final Document document;
    /** As stored; {@code null}: it is not yet. */
    CallRow row;
    final List<Delivery> deliveries = new ArrayList<>();
    /** What it is found by in the store. */
    final Set<Part> parts = new HashSet<>();
    /** By the last evaluation; a leg that nothing came for is not made again. */
    List<Leg> legs = List.of();
    /** Legs of which something may have been evaluated before, and what followed was lost: a card may be on a screen. */
    final Set<String> again = new HashSet<>();
    /** Its weight when it was put into memory. */
    long charged;
    private final Set<String> effects = new HashSet<>();

    OpenCall(String pbx, String callId) {
        this.pbx = pbx;
        this.callId = callId;
        this.document = new Document();
    }

    OpenCall(Stored stored) {
        this.pbx = stored.row().pbx();
        this.callId = stored.row().callId();
        this.document = Document.of(stored.document());
        this.row = stored.row();
        stored.deliveries().forEach(this::put);
    }

    List<CallEvent> events() {
        return document.events().stream().map(Event::call).toList();
    }

    List<CallEvent> leg(String legId) {
        return document.events().stream().map(Event::call).filter(event -> event.legId().equals(legId)).toList();
    }

    boolean exists(String operation, String id) {
        return effects.contains(operation + " " + id);
    }

    void put(Delivery delivery) {
        deliveries.removeIf(known -> known.seq() == delivery.seq());
        deliveries.add(delivery);
        effects.add(delivery.operation() + " " + delivery.id());
    }

    /** Of which of its timers the time has come; an evaluation that failed, or was stored by another replica, leaves none. */
    List<String> due() {
        long now = Time.millis();
        List<String> due = new ArrayList<>();
        document.timers().forEach((subject, at) -> due.addAll(at <= now ? List.of(subject) : List.of()));
        return due;
    }

    /** Nothing is left to be done unless something comes. */
    boolean over() {
        return row != null && !row.outcome().equals(CallRow.OPEN) && row.dueAt() == null;
    }

    long weight() {
        return 2_000 + WEIGHT * (long) document.size();
    }
}
