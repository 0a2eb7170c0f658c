package io.callbridge.domain;

import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.CallEvent.Type;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * One leg: what all events of a SubCallID say together. The order of the events, how often each was delivered, and whether all it tells
 * came at once, make no difference.
 */
public final class Leg {

    private static final Comparator<CallEvent> BY_TIME = Comparator.comparing(CallEvent::at)
            .thenComparing(event -> event.type().ordinal()).thenComparing(event -> event.details().toString());
    private static final List<ChronoUnit> UNITS = List.of(ChronoUnit.SECONDS, ChronoUnit.MILLIS, ChronoUnit.MICROS);

    private final Directory directory;
    private final List<CallEvent> told;
    private final Set<String> dialled;
    private final List<CallEvent> events;
    private final LegSides sides;
    private final CallEvent start;
    private final CallEvent answer;
    private final CallEvent hangup;
    private final Flow direction;
    private final boolean container;

    /** Each event once. A PBX may send one again when it knows more, say a hangup with its recording. */
    private static List<CallEvent> merged(List<CallEvent> legEvents) {
        List<CallEvent> merged = new ArrayList<>();
        for (CallEvent event : legEvents.stream().sorted(BY_TIME).toList()) {
            Optional<CallEvent> told = merged.stream().filter(event::repeats).findFirst();
            merged.remove(told.orElse(null));
            merged.add(told.map(earlier -> earlier.with(event)).orElse(event));
        }
        return merged.stream().sorted(BY_TIME).toList();
    }

    private Leg(Directory directory, List<CallEvent> legEvents, Set<String> dialled) {
        this.directory = directory;
        this.told = legEvents;
        this.dialled = dialled;
        this.events = merged(legEvents);
        this.sides = new LegSides(directory, events, dialled);
        this.start = sides.start;
        this.answer = sides.answer;
        this.hangup = sides.hangup;
        this.direction = sides.direction;
        this.container = sides.container;
    }

    /** Reads the events of one SubCallID. */
    public static Leg of(Directory directory, List<CallEvent> legEvents) {
        if (legEvents.isEmpty()) {
            throw new IllegalArgumentException("a leg has at least one event");
        }
        return new Leg(directory, legEvents, dialled(legEvents));
    }

    public String id() {
        return events.get(0).legId();
    }

    public String callId() {
        return events.get(0).callId();
    }

    public List<CallEvent> events() {
        return events;
    }

    public CallEvent start() {
        return start;
    }

    public CallEvent answer() {
        return answer;
    }

    public CallEvent hangup() {
        return hangup;
    }

    public Flow flow() {
        return direction;
    }

    /** The extension this leg belongs to; {@code null} when no field names one. */
    public Extension extension() {
        return sides.extension;
    }

    /** The outside party's own line: of no extension, but whether somebody talks to that party is known from it. */
    public boolean trunk() {
        return sides.trunk();
    }

    /** The phone rang for a colleague, and by his transfer the outside party came onto the leg: nobody is to be told who calls. */
    public boolean joined() {
        return direction == Flow.IN && start != null && start.remoteNumber() == null && !sides.local && sides.caller().own();
    }

    /** The connection to the PBX was interrupted, and when it was back the leg was no more. */
    public boolean lost() {
        return hangup != null && hangup.status() != null && hangup.status().startsWith("lost");
    }

    /** {@link #lost()}, or perhaps not: the PBX does not say which calls there are. */
    public boolean unlisted() {
        return hangup != null && "lost-unlisted".equals(hangup.status());
    }

    /** An IVR or a queue (rule R7). */
    public boolean container() {
        return container;
    }

    public boolean ivr() {
        return sides.extension != null && sides.extension.type() == Extension.Type.IVR;
    }

    /** The other party: the caller of an incoming leg, the called number of an outgoing one. */
    public Party party() {
        return sides.party;
    }

    /** Both sides are extensions of this PBX and no RemoteNumber names an outside party (rules R12, R13, R29). */
    public boolean local() {
        return sides.local;
    }

    /** Outgoing because of a forwarding rule, not because the employee dialled (rule R32). */
    public boolean forwarded() {
        return direction == Flow.OUT && events.stream().anyMatch(CallEvent::transferred);
    }

    public String callBackId() {
        return sides.firstNonNull(CallEvent::callBackId);
    }

    /** The number that was called from outside, in E.164; dial-in's word counts, later events only fill a gap (R17). */
    public String did() {
        return sides.did();
    }

    /** Rule R25. */
    public boolean answered() {
        return !container && (answer != null || provenTalk());
    }

    /** A hangup was seen. */
    public boolean ended() {
        return hangup != null;
    }

    public Instant startedAt() {
        if (start != null) {
            return start.at();
        }
        if (answer != null) {
            return answer.at();
        }
        return provenTalk() ? talkBegin() : events.get(0).at();
    }

    /** When the talk began; from Duration when the answer event was lost; {@code null} for an unanswered leg. */
    public Instant answeredAt() {
        return answered() ? later(startedAt(), answer != null ? answer.at() : talkBegin()) : null;
    }

    /**
     * The time of the hangup. Of a leg that was closed because its hangup never came: the moment at which the limit ran
     * out, in the PBX's time.
     */
    public Instant endedAt(CallSettings settings) {
        Instant begin = answered() ? answeredAt() : startedAt();
        return later(begin, hangup != null ? hangup.at() : begin.plus(limit(settings)));
    }

    /** The time of the hangup, of a leg without one that of its last event. */
    public Instant lastTime() {
        return hangup != null ? hangup.at() : events.get(events.size() - 1).at();
    }

    /**
     * Whole seconds of talk: at least 1 for a leg with the result {@code answered}, 0 for any other. Also of an answered leg
     * whose hangup never came, or was lost: nobody knows how long it was, and its result is {@code unknown} (contract section 3).
     */
    public long talkSeconds() {
        if (!answered() || hangup == null || lost()) {
            return 0;
        }
        return Math.max(1, (hangup.duration() != null ? talk() : Duration.between(answeredAt(), hangup.at())).toSeconds());
    }

    /**
     * The unit of the hangup's Duration. PBXs differ: it is the one in which the talk is about as long as the EventTimes tell, unless
     * the configuration says it.
     *
     * @return {@code null}: it cannot be told, or there is no talk to be measured
     */
    public ChronoUnit durationUnit() {
        CallEvent begin = answer != null ? answer : start;
        if (hangup == null || hangup.duration() == null || hangup.duration() == 0) {
            return null;
        } else if (sides.channel() || directory.durationUnit() != null) {
            return sides.channel() ? ChronoUnit.MICROS : directory.durationUnit();
        } else if (hangup.time() == null || begin == null || begin.time() == null) {
            return null;
        }
        Duration told = Duration.between(begin.time(), hangup.time());
        return UNITS.stream().filter(unit -> {
            Duration talk = unit.getDuration().multipliedBy(hangup.duration());
            // Without an answer the ringing counts too, and the talk may be any part of it.
            return (answer == null || talk.multipliedBy(2).compareTo(told) >= 0) && talk.compareTo(told.multipliedBy(2)) <= 0;
        }).findFirst().orElse(null);
    }

    /** The hangup's Duration; microseconds are what the protocol says (contract section 3). */
    private Duration talk() {
        ChronoUnit unit = durationUnit();
        return (unit != null ? unit : ChronoUnit.MICROS).getDuration().multipliedBy(hangup.duration());
    }

    /** {@code result} of contract section 3. */
    public String result() {
        if (hangup == null || lost()) {
            return "unknown";
        }
        if (answered()) {
            return "answered";
        }
        String status = hangup.status() == null ? "" : hangup.status();
        return switch (status) {
            case "busy" -> "busy";
            case "noanswer", "answer" -> "no-answer";
            case "cancel", "elsewhere" -> "cancelled";
            case "congestion", "chanunavail" -> "failed";
            default -> "unknown";
        };
    }

    /** Recording of an answered leg; a recording id on any other leg is an announcement or a mistake. */
    public String recordingId() {
        if (!answered() || hangup == null || lost()) {
            return null;
        }
        return hangup.recordingId() != null ? hangup.recordingId() : sides.firstNonNull(CallEvent::recordingId);
    }

    /**
     * When the leg may be decided, counted from arrivals: at its hangup if everything about it is known, else after the
     * settle delay, since an answer or a dial-in may have been overtaken (rule R49), but not on an Asterisk's connection. A leg started through the PBX's API
     * waits for a container that may come after it (rule R44).
     *
     * @return {@code null} while the leg has no hangup
     */
    public Instant decideAt(CallSettings settings) {
        if (hangup == null) {
            return null;
        }
        boolean complete = sides.channel() || start != null && answer != null && !forwarded();
        Duration settle = complete ? Duration.ZERO : settings.settleDelay();
        boolean held = direction == Flow.OUT && callBackId() != null && settings.missedDelay().compareTo(settle) > 0;
        return hangup.arrivedAt().plus(held ? settings.missedDelay() : settle);
    }

    /**
     * When the leg is to be looked at again although no event of it comes.
     *
     * @return {@code null}: no more by {@code now}, and never for a container, which has a say only in the whole call
     */
    public Instant evaluateAt(CallSettings settings, Instant now) {
        if (container) {
            return null;
        }
        List<Instant> due = new ArrayList<>(List.of(hangup != null ? decideAt(settings) : limitAt(settings)));
        if (hangup != null && !answered()) {
            // The end of its card may have waited for an answer at another phone.
            due.add(hangup.arrivedAt().plus(settings.settleDelay()));
            if (maybePickedUp()) {
                due.add(hangup.arrivedAt().plus(momentOfTaking(settings)));
            }
        }
        return due.stream().filter(at -> at.isAfter(now)).min(Comparator.naturalOrder()).orElse(null);
    }

    /** A phone of an Asterisk that was told to stop: for another that takes the call, or since the caller gives up. */
    boolean maybePickedUp() {
        return sides.channel() && direction == Flow.IN && hangup != null && List.of("cancel", "elsewhere").contains(String.valueOf(hangup.status()));
    }

    /** So long after its end an answer is the one that took the call: longer if the PBX says that there is one (hangup cause 26). */
    Duration momentOfTaking(CallSettings settings) {
        boolean said = hangup != null && "elsewhere".equals(hangup.status()) && settings.settleDelay().compareTo(Call.SAME_MOMENT) > 0;
        return said ? settings.settleDelay() : Call.SAME_MOMENT;
    }

    /** The hangup says "answered" without proof of a talk: the answer may have been overtaken, or never was (rule R25). */
    public boolean maybeAnswered() {
        return !answered() && hangup != null && "answer".equals(hangup.status()) && hangup.duration() == null;
    }

    /** When a leg without hangup is given up (rule R50). */
    public Instant limitAt(CallSettings settings) {
        CallEvent last = answer != null ? answer : start != null ? start : events.get(0);
        return last.arrivedAt().plus(limit(settings));
    }

    /** The leg is over: hung up, or given up. */
    public boolean over(CallSettings settings, Instant now) {
        return hangup != null || !limitAt(settings).isAfter(now);
    }

    private Duration limit(CallSettings settings) {
        return answered() ? settings.maxTalk() : settings.maxUnanswered();
    }

    private boolean provenTalk() {
        return hangup != null && "answer".equals(hangup.status()) && hangup.duration() != null
                && hangup.duration() > 0;
    }

    private Instant talkBegin() {
        return hangup.at().minus(talk());
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private static Set<String> dialled(List<CallEvent> events) {
        return events.stream().filter(event -> event.type() == Type.DIAL_OUT || event.flow() == Flow.OUT).map(CallEvent::called)
                .filter(Objects::nonNull).collect(Collectors.toSet());
    }

    static List<Leg> all(Directory directory, List<CallEvent> events, List<Leg> before) {
        Map<String, List<CallEvent>> byLeg = new TreeMap<>();
        events.forEach(event -> byLeg.computeIfAbsent(event.legId(), id -> new ArrayList<>()).add(event));
        Set<String> dialled = dialled(events);
        Map<String, Leg> known = new HashMap<>();
        before.forEach(leg -> known.put(leg.id(), leg));
        return byLeg.entrySet().stream().map(told -> {
            Leg leg = known.get(told.getKey());
            return leg != null && leg.isOf(directory, told.getValue(), dialled) ? leg : new Leg(directory, told.getValue(), dialled);
        }).sorted(Comparator.comparing(Leg::startedAt).thenComparing(Leg::id)).toList();
    }

    private boolean isOf(Directory theirs, List<CallEvent> legEvents, Set<String> theirsDialled) {
        return directory == theirs && told.equals(legEvents) && dialled.equals(theirsDialled);
    }
}
