package io.callbridge.process;

import static java.util.Comparator.comparing;
import static java.util.stream.Collectors.groupingBy;

import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Effects;
import io.callbridge.store.Effects.Placed;
import io.callbridge.store.Journal;
import io.callbridge.store.Journal.Entry;
import io.callbridge.store.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Ids that a PBX uses again (rule R6). What begins under a CallID whose call has been over for more than an hour is another call:
 * its ids get {@code ~2}, {@code ~3} and so on. A SubCallID that comes under another CallID within that time is still the same leg,
 * and belongs to the call it came with last. That is decided once, when an event is looked at for the first time: from then on it
 * stands in the journal under the ids that it has here. At an Asterisk we make the ids ourselves.
 */
@ApplicationScoped
public class ReusedIds {

    static final Duration OVER = Duration.ofHours(1);
    private static final String AGAIN = "~";

    private final Journal journal;
    private final Effects effects;
    private final Settings settings;
    private final CallLanes lanes;

    public ReusedIds(Journal journal, Effects effects, Settings settings, CallLanes lanes) {
        this.journal = journal;
        this.effects = effects;
        this.settings = settings;
        this.lanes = lanes;
    }

    /** The events of one of the calls that had an id. @param legs its legs' ids here, by those of the PBX */
    private record Life(String callId, List<Entry> entries, Map<String, String> legs) {

        Life(String callId, List<Entry> entries) {
            this(callId, new ArrayList<>(entries), new HashMap<>());
            entries.forEach(entry -> legs.put(plain(entry.event().legId()), entry.event().legId()));
        }

        void add(Entry entry, String legId) {
            entries.add(entry);
            legs.put(plain(entry.event().legId()), legId);
        }

        Instant begin() {
            return entries.stream().map(Entry::event).filter(ReusedIds::begins).map(CallEvent::at).min(Comparator.naturalOrder()).orElse(Instant.MAX);
        }

        /** Whether a leg waits for its end. */
        boolean open(String legId) {
            List<CallEvent> events = entries.stream().map(Entry::event).filter(event -> plain(event.legId()).equals(plain(legId))).toList();
            return !events.isEmpty() && events.stream().allMatch(ReusedIds::begins);
        }
    }

    /**
     * @param entries all that stands in the journal under a CallID
     * @return whether some of it was another call's: it does no more, and those calls are looked at
     */
    boolean settle(String pbx, String callId, List<Entry> entries) {
        if (entries.stream().noneMatch(entry -> entry.state().equals("new")) || entries.get(0).event().channel() != null) {
            return false;
        }
        List<Placed> placed = calls(pbx, callId, entries.stream()
                .sorted(comparing((Entry entry) -> entry.event().at()).thenComparing(entry -> entry.event().type())).toList());
        if (placed.isEmpty()) {
            placed = leg(pbx, callId, entries);
        }
        effects.place(pbx, placed);
        for (Placed each : placed) {
            lanes.submit(pbx, each.callId(), each.legId());
            if (!each.callId().equals(each.entry().event().callId())) {
                lanes.submit(new Timer(pbx, each.entry().event().callId(), Timer.MISSED, Time.now()));
            }
        }
        return !placed.isEmpty();
    }

    private List<Placed> calls(String pbx, String callId, List<Entry> entries) {
        List<Placed> placed = new ArrayList<>();
        Instant begin = entries.get(0).event().at();
        if (!begin.plus(OVER).isBefore(entries.get(entries.size() - 1).event().at())) {
            return placed;
        }
        Life first = new Life(callId, List.of());
        List<Life> later = new ArrayList<>();
        for (List<Entry> next = next(pbx, callId, later); !next.isEmpty(); next = next(pbx, callId, later)) {
            later.add(new Life(next.get(0).event().callId(), next));
        }
        for (Entry entry : entries) {
            // One that began before the first is left of calls whose first one was purged.
            Life life = later.stream().filter(each -> each.begin().isAfter(begin) && !each.begin().isAfter(entry.event().at()))
                    .max(comparing(Life::begin)).orElse(first);
            if (!begins(entry.event()) && !life.legs.containsKey(plain(entry.event().legId())) && first.open(entry.event().legId())) {
                life = first;
            }
            if (begins(entry.event()) && over(pbx, life.entries, entry.event())) {
                life = begun(callId, later, entry.event());
            }
            String legId = life == first ? entry.event().legId() : life.legs.get(plain(entry.event().legId()));
            if (legId == null) {
                boolean used = first.legs.containsValue(entry.event().legId()) || !journal.elsewhere(pbx, callId, List.of(entry.event().legId())).isEmpty();
                legId = used ? free(pbx, entry.event().legId()) : entry.event().legId();
            }
            life.add(entry, legId);
            if (life != first) {
                placed.add(new Placed(entry, life.callId, legId, "", "the PBX used CallID " + callId
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

    private List<Entry> next(String pbx, String callId, List<Life> later) {
        return journal.call(pbx, name(callId, later));
    }

    private static String name(String callId, List<Life> later) {
        return callId + AGAIN + (later.size() + 2);
    }

    /** A leg that came under another CallID too. */
    private List<Placed> leg(String pbx, String callId, List<Entry> entries) {
        Map<String, List<Entry>> legs = entries.stream().collect(groupingBy(entry -> entry.event().legId()));
        Entry other = journal.elsewhere(pbx, callId, legs.keySet()).stream().findFirst().orElse(null);
        if (other == null) {
            return List.of();
        }
        String legId = other.event().legId();
        List<Entry> there = journal.call(pbx, other.event().callId());
        List<Entry> thereOfLeg = there.stream().filter(entry -> entry.event().legId().equals(legId)).toList();
        boolean lastHere = last(legs.get(legId)).isAfter(last(thereOfLeg)) || last(legs.get(legId)).equals(last(thereOfLeg))
                && seq(legs.get(legId)) > seq(thereOfLeg);
        List<Entry> older = lastHere ? there : entries;
        List<Entry> newerOfLeg = lastHere ? legs.get(legId) : thereOfLeg;
        String newerCall = newerOfLeg.get(0).event().callId();
        CallEvent begin = newerOfLeg.stream().map(Entry::event).min(comparing(CallEvent::at)).orElseThrow();
        if (over(pbx, older, begin)) {
            Life newer = new Life(newerCall, (lastHere ? entries : there).stream().filter(entry -> !entry.event().legId().equals(legId)).toList());
            String again = newer.legs.getOrDefault(plain(legId), free(pbx, legId));
            return newerOfLeg.stream().map(entry -> new Placed(entry, newerCall, again, again, "the PBX used SubCallID " + legId
                    + " again more than an hour after call " + older.get(0).event().callId() + " was over: a new leg, " + again)).toList();
        }
        return older.stream().filter(entry -> entry.event().legId().equals(legId)).map(entry -> new Placed(entry, newerCall, legId, legId,
                "SubCallID " + legId + " came under CallID " + entry.event().callId() + " too: it belongs to the call it came with last")).toList();
    }

    private static long seq(List<Entry> entries) {
        return entries.stream().mapToLong(Entry::seq).max().orElseThrow();
    }

    private static Instant last(List<Entry> entries) {
        return entries.stream().map(entry -> entry.event().at()).max(Comparator.naturalOrder()).orElseThrow();
    }

    /** Where one of them has no EventTime, the arrivals count too: the PBX's clock may be another. */
    private boolean over(String pbx, List<Entry> entries, CallEvent begin) {
        if (entries.isEmpty()) {
            return false;
        }
        List<CallEvent> events = entries.stream().map(Entry::event).toList();
        boolean timed = begin.time() != null && events.stream().allMatch(event -> event.time() != null);
        return Call.of(settings.directory(pbx), settings.calls(), events, List.of()).overAt().plus(OVER).isBefore(begin.at())
                && (timed || events.stream().allMatch(event -> event.arrivedAt().plus(OVER).isBefore(begin.arrivedAt())));
    }

    private String free(String pbx, String legId) {
        int number = 2;
        while (!journal.leg(pbx, plain(legId) + AGAIN + number).isEmpty()) {
            number++;
        }
        return plain(legId) + AGAIN + number;
    }

    /** As the PBX says it. */
    private static String plain(String legId) {
        return legId.replaceFirst(AGAIN + "[0-9]+$", "");
    }
}
