package io.callbridge.process;

import static java.util.Comparator.comparing;
import static java.util.stream.Collectors.groupingBy;

import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent;
import io.callbridge.platform.Settings;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.Calls;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Ids that a PBX uses again (rule R6). What begins under a CallID whose call has been over for more than an hour is another call:
 * its ids get {@code ~2}, {@code ~3} and so on. A SubCallID that comes under another CallID within that time is still the same leg,
 * and belongs to the call it came with last. That is decided when an event comes: from then on it is kept under the ids that it has
 * here. At an Asterisk we make the ids ourselves.
 */
@ApplicationScoped
public class ReusedIds {

    static final Duration OVER = Duration.ofHours(1);
    private static final String AGAIN = "~";

    private final Calls calls;
    private final Settings settings;

    public ReusedIds(Calls calls, Settings settings) {
        this.calls = calls;
        this.settings = settings;
    }

    /**
     * An event that is another call's, or another leg's, than its CallID and SubCallID say.
     *
     * @param from the call that has it so far
     * @param event under the ids that it has from now on
     * @param decidedFor the leg that the reason is about; empty: the whole call
     */
    record Placed(String from, Event before, Event event, String decidedFor, String reason) {
    }

    /** The events of one of the calls that had an id. @param legs its legs' ids here, by those of the PBX */
    private record Life(String callId, List<Event> entries, Map<String, String> legs) {

        Life(String callId, List<Event> entries) {
            this(callId, new ArrayList<>(entries), new HashMap<>());
            entries.forEach(entry -> legs.put(plain(entry.call().legId()), entry.call().legId()));
        }

        void add(Event entry, String legId) {
            entries.add(entry);
            legs.put(plain(entry.call().legId()), legId);
        }

        Instant begin() {
            return entries.stream().map(Event::call).filter(ReusedIds::begins).map(CallEvent::at).min(Comparator.naturalOrder()).orElse(Instant.MAX);
        }

        /** Whether a leg waits for its end. */
        boolean open(String legId) {
            List<CallEvent> events = entries.stream().map(Event::call).filter(event -> plain(event.legId()).equals(plain(legId))).toList();
            return !events.isEmpty() && events.stream().allMatch(ReusedIds::begins);
        }
    }

    /** What of a call, in which there may be what came just now, is another's. @param fresh is not in the document yet @param others calls with legs of it; {@code null}: to be found */
    List<Placed> settle(OpenCall open, List<Event> fresh, List<Stored> others) {
        if (fresh.isEmpty() || fresh.get(0).call().channel() != null) {
            return List.of();
        }
        List<Event> all = new ArrayList<>(open.document.events());
        all.addAll(fresh);
        List<Placed> placed = calls(open.pbx, open.callId, all);
        if (placed.isEmpty()) {
            placed = leg(open.pbx, open.callId, open.document.events(), all, others);
        }
        // What was taken from another call is still there until it is stored here.
        return placed.stream().filter(each -> all.stream().noneMatch(event -> event.call().callId().equals(each.event().call().callId())
                && event.call().legId().equals(each.event().call().legId()) && event.identity().equals(each.event().identity()))).toList();
    }

    private List<Placed> calls(String pbx, String callId, List<Event> all) {
        Instant begin = all.stream().map(event -> event.call().at()).min(Comparator.naturalOrder()).orElseThrow();
        if (!begin.plus(OVER).isBefore(last(all))) {
            return List.of();
        }
        List<Placed> placed = new ArrayList<>();
        List<Event> entries = all.stream().sorted(comparing((Event event) -> event.call().at()).thenComparing(event -> event.call().type())).toList();
        Life first = new Life(callId, List.of());
        List<Life> later = new ArrayList<>();
        for (List<Event> next = next(pbx, callId, later); !next.isEmpty(); next = next(pbx, callId, later)) {
            later.add(new Life(next.get(0).call().callId(), next));
        }
        for (Event entry : entries) {
            // One that began before the first is left of calls whose first one was purged.
            Life life = later.stream().filter(each -> each.begin().isAfter(begin) && !each.begin().isAfter(entry.call().at()))
                    .max(comparing(Life::begin)).orElse(first);
            if (!begins(entry.call()) && !life.legs.containsKey(plain(entry.call().legId())) && first.open(entry.call().legId())) {
                life = first;
            }
            if (begins(entry.call()) && over(pbx, life.entries, entry.call())) {
                life = begun(callId, later, entry.call());
            }
            String legId = life == first ? entry.call().legId() : life.legs.get(plain(entry.call().legId()));
            if (legId == null) {
                boolean used = first.legs.containsValue(entry.call().legId())
                        || !elsewhere(calls.by(pbx, Calls.LEG, Set.of(entry.call().legId())), callId, Set.of(entry.call().legId())).isEmpty();
                legId = used ? free(pbx, entry.call().legId()) : entry.call().legId();
            }
            life.add(entry, legId);
            if (life != first) {
                placed.add(new Placed(callId, entry, entry.under(life.callId, legId), "", "the PBX used CallID " + callId
                        + " again more than an hour after its call was over: a new call, " + life.callId));
            }
        }
        return placed;
    }

    /** An answer may have overtaken its dial-in. A hangup may be the end of a leg that was given up long ago. */
    private static boolean begins(CallEvent event) {
        return event.type() != CallEvent.Type.HANGUP;
    }

    /** The call that begins with an event, or has just begun with one that overtook it. */
    private static Life begun(String callId, List<Life> later, CallEvent event) {
        Life life = later.stream().filter(each -> each.begin().isAfter(event.at()) && each.begin().isBefore(event.at().plus(OVER)))
                .min(comparing(Life::begin)).orElse(null);
        if (life == null) {
            life = new Life(name(callId, later), List.of());
            later.add(life);
        }
        return life;
    }

    private List<Event> next(String pbx, String callId, List<Life> later) {
        Stored stored = calls.one(pbx, name(callId, later));
        return stored == null ? List.of() : Document.of(stored.document()).events();
    }

    private static String name(String callId, List<Life> later) {
        return callId + AGAIN + (later.size() + 2);
    }

    /** A leg that came under another CallID too. */
    private List<Placed> leg(String pbx, String callId, List<Event> before, List<Event> entries, List<Stored> others) {
        Set<String> news = new HashSet<>();
        entries.forEach(event -> news.add(event.call().legId()));
        before.forEach(event -> news.remove(event.call().legId()));
        List<Event> there = news.isEmpty() ? List.of() : elsewhere(others != null ? others : calls.by(pbx, Calls.LEG, news), callId, news);
        if (there.isEmpty()) {
            return List.of();
        }
        Map<String, List<Event>> legs = entries.stream().collect(groupingBy(entry -> entry.call().legId()));
        String legId = there.stream().map(event -> event.call().legId()).filter(news::contains).findFirst().orElseThrow();
        List<Event> thereOfLeg = there.stream().filter(entry -> entry.call().legId().equals(legId)).toList();
        boolean lastHere = last(legs.get(legId)).isAfter(last(thereOfLeg)) || last(legs.get(legId)).equals(last(thereOfLeg))
                && arrival(legs.get(legId)).isAfter(arrival(thereOfLeg));
        List<Event> older = lastHere ? there : entries;
        List<Event> newerOfLeg = lastHere ? legs.get(legId) : thereOfLeg;
        String newerCall = newerOfLeg.get(0).call().callId();
        String olderCall = older.get(0).call().callId();
        CallEvent begin = newerOfLeg.stream().map(Event::call).min(comparing(CallEvent::at)).orElseThrow();
        if (over(pbx, older, begin)) {
            Life newer = new Life(newerCall, (lastHere ? entries : there).stream().filter(entry -> !entry.call().legId().equals(legId)).toList());
            String again = newer.legs.containsKey(plain(legId)) ? newer.legs.get(plain(legId)) : free(pbx, legId);
            return newerOfLeg.stream().map(entry -> new Placed(newerCall, entry, entry.under(newerCall, again), again, "the PBX used SubCallID "
                    + legId + " again more than an hour after call " + olderCall + " was over: a new leg, " + again)).toList();
        }
        return older.stream().filter(entry -> entry.call().legId().equals(legId)).map(entry -> new Placed(olderCall, entry,
                entry.under(newerCall, legId), legId, "SubCallID " + legId + " came under CallID " + olderCall
                + " too: it belongs to the call it came with last")).toList();
    }

    /** All events of another call that has one of these legs. */
    private static List<Event> elsewhere(List<Stored> found, String callId, Collection<String> legIds) {
        return found.stream().filter(stored -> !stored.row().callId().equals(callId))
                .map(stored -> Document.of(stored.document()).events())
                .filter(events -> events.stream().anyMatch(event -> legIds.contains(event.call().legId()))).findFirst().orElse(List.of());
    }

    private static Instant arrival(List<Event> entries) {
        return entries.stream().map(entry -> entry.call().arrivedAt()).max(Comparator.naturalOrder()).orElseThrow();
    }

    private static Instant last(List<Event> entries) {
        return entries.stream().map(entry -> entry.call().at()).max(Comparator.naturalOrder()).orElseThrow();
    }

    /** Where one of them has no EventTime, the arrivals count too: the PBX's clock may be another. */
    private boolean over(String pbx, List<Event> entries, CallEvent begin) {
        if (entries.isEmpty()) {
            return false;
        }
        List<CallEvent> events = entries.stream().map(Event::call).toList();
        boolean timed = begin.time() != null && events.stream().allMatch(event -> event.time() != null);
        return Call.of(settings.directory(pbx), settings.calls(), events, List.of()).overAt().plus(OVER).isBefore(begin.at())
                && (timed || events.stream().allMatch(event -> event.arrivedAt().plus(OVER).isBefore(begin.arrivedAt())));
    }

    private String free(String pbx, String legId) {
        int number = 2;
        while (!calls.by(pbx, Calls.LEG, List.of(plain(legId) + AGAIN + number)).isEmpty()) {
            number++;
        }
        return plain(legId) + AGAIN + number;
    }

    /** As the PBX says it. */
    private static String plain(String legId) {
        return legId.replaceFirst(AGAIN + "[0-9]+$", "");
    }
}
