package io.callbridge.demo;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the demo CRM remembers: the cards on the screens, the last calls and the last missed calls. Every entry has the
 * id of its request, so a repeat replaces it (contract section 3). Listeners get the whole state first and every change
 * after it, none lost between and none twice.
 */
final class CrmMemory {

    /** Entries of each kind; older ones are forgotten. */
    static final int KEPT = 200;

    /** Gets the state and the changes, while the memory is locked: it must not wait for anything. */
    interface Listener {
        void changed(String kind, JsonObject content);
    }

    private final Map<String, JsonObject> cards = lastEntries();
    private final Map<String, JsonObject> calls = lastEntries();
    private final Map<String, JsonObject> missedCalls = lastEntries();
    private final List<Listener> listeners = new ArrayList<>();

    private long cardsShown;
    private long callsRegistered;
    private long callsMissed;
    private long missedServed;
    private long talkSeconds;

    synchronized void putCard(String id, JsonObject card) {
        JsonObject old = cards.get(id);
        // A repeat of the request does not make the card younger.
        long shownAt = old == null ? System.currentTimeMillis() : old.getLong("shownAt");
        JsonObject entry = card.copy().put("id", id).put("shownAt", shownAt);
        if (old == null) {
            cardsShown++;
        }
        cards.put(id, entry);
        tell("card", entry);
    }

    /** A card that is not there (any more) has no second end. */
    synchronized void endCard(String id, String reason, String answeredBy) {
        if (cards.remove(id) == null) {
            return;
        }
        JsonObject end = new JsonObject().put("id", id).put("reason", reason);
        if (answeredBy != null) {
            end.put("answeredBy", answeredBy);
        }
        tell("card-end", end);
    }

    synchronized void putCall(String id, JsonObject call) {
        JsonObject entry = call.copy().put("id", id);
        JsonObject old = calls.put(id, entry);
        if (old == null) {
            callsRegistered++;
        }
        talkSeconds += entry.getLong("talkSeconds") - (old == null ? 0 : old.getLong("talkSeconds"));
        tell("call", entry);
    }

    synchronized void putMissedCall(String id, JsonObject missedCall) {
        JsonObject entry = missedCall.copy().put("id", id);
        JsonObject old = missedCalls.put(id, entry);
        if (old == null) {
            callsMissed++;
        }
        missedServed += served(entry) - served(old);
        tell("missed-call", entry);
    }

    synchronized void listen(Listener listener) {
        listener.changed("state", state());
        listeners.add(listener);
    }

    synchronized void forget(Listener listener) {
        listeners.remove(listener);
    }

    synchronized int listeners() {
        return listeners.size();
    }

    private JsonObject state() {
        JsonArray employees = new JsonArray();
        DemoPeople.EMPLOYEES.forEach(employee -> employees.add(
                new JsonObject().put("user", employee.user()).put("extension", employee.extension())));
        return new JsonObject()
                .put("now", System.currentTimeMillis())
                .put("employees", employees)
                .put("cards", new JsonArray(List.copyOf(cards.values())))
                .put("calls", new JsonArray(List.copyOf(calls.values())))
                .put("missedCalls", new JsonArray(List.copyOf(missedCalls.values())))
                .put("counters", counters());
    }

    private JsonObject counters() {
        return new JsonObject()
                .put("cards", cardsShown)
                .put("calls", callsRegistered)
                .put("talkSeconds", talkSeconds)
                .put("missed", callsMissed)
                .put("served", missedServed);
    }

    private void tell(String kind, JsonObject entry) {
        JsonObject change = new JsonObject().put("entry", entry).put("counters", counters());
        // A copy, because a listener that finds its client gone forgets itself.
        List.copyOf(listeners).forEach(listener -> listener.changed(kind, change));
    }

    private static int served(JsonObject missedCall) {
        return missedCall != null && missedCall.containsKey("servedAt") ? 1 : 0;
    }

    private static Map<String, JsonObject> lastEntries() {
        return new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, JsonObject> eldest) {
                return size() > KEPT;
            }
        };
    }
}
