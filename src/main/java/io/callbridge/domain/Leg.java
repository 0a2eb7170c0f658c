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
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One leg: what all events of a SubCallID say together. The order of the events, how often each was delivered, and whether all it tells
 * came at once, make no difference.
 */
public final class Leg {

    private static final Comparator<CallEvent> BY_TIME = Comparator.comparing(CallEvent::at)
            .thenComparing(event -> event.type().ordinal()).thenComparing(event -> event.details().toString());
    private static final List<ChronoUnit> UNITS = List.of(ChronoUnit.SECONDS, ChronoUnit.MILLIS, ChronoUnit.MICROS);

    private final Directory directory;
    private final Directory reads;
    private final List<CallEvent> told;
    private final Set<String> dialled;
    private final List<CallEvent> events;
    private final CallEvent start;
    private final CallEvent answer;
    private final CallEvent hangup;
    private final Flow direction;
    private final Extension extension;
    private final boolean container;
    private final Party party;
    private final boolean local;

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
        this.reads = directory;
        this.told = legEvents;
        this.dialled = dialled;
        this.events = merged(legEvents);
        this.start = first(CallEvent::dial);
        // Among extensions a colleague may have answered, before an outside party came onto the leg.
        CallEvent joined = first(event -> event.type() == Type.ANSWER && event.remoteNumber() != null);
        boolean handedOn = channel() && events.stream().anyMatch(event -> event.remoteNumber() != null);
        this.answer = joined != null || handedOn ? joined : first(event -> event.type() == Type.ANSWER);
        this.direction = direction();
        this.directory = directory.knowing(ownField());
        this.extension = findExtension();
        boolean bridgedSaid = events.stream().anyMatch(event -> event.bridged() != null);
        this.container = extension != null && extension.type() != Extension.Type.UNKNOWN ? extension.container() : bridgedSaid;
        // The queue's side towards its agents hangs up without Bridged: that is no end of the container (R34, 3.10.1).
        this.hangup = first(event -> event.type() == Type.HANGUP && (!container || event.bridged() != null));
        Party own = null;
        Party outside = null;
        if (direction == Flow.OUT && !container) {
            Party called = called();
            own = called.own() ? called : null;
            outside = own == null ? called : remote();
        } else {
            Party caller = caller();
            own = caller.own() ? caller : null;
            outside = own == null ? caller : remote();
        }
        this.party = outside != null ? outside : own;
        this.local = outside == null;
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
        return extension;
    }

    /**
     * By the id in front of the SubCallID's dash, then by the fields of the side that emits (rules R7, R8). That side is ours
     * even where neither the list nor the prefix in the configuration knows it (rule R52).
     */
    private Extension findExtension() {
        if (channel()) {
            String name = firstNonNull(direction == Flow.OUT && !trunk() ? CallEvent::callerExtension : CallEvent::calledExtension);
            return name == null ? null : directory.named(name, firstNonNull(CallEvent::extensionType));
        }
        Extension byId = firstNonNull(event -> directory.byId(idPart(event.legId())));
        if (byId != null) {
            return byId;
        }
        boolean out = direction == Flow.OUT;
        Extension named = firstNonNull(event -> directory.byId(out ? event.callerExtensionId() : event.calledExtensionId()));
        if (named == null && out) {
            named = firstNonNull(event -> directory.own(event.callerExtension()));
            named = named != null ? named : firstNonNull(event -> directory.own(event.caller()));
        }
        // Also the agent-side thread of a queue, which has flow "out" and names only the called side (R34).
        named = named != null || out && events.stream().anyMatch(e -> e.callerExtension() != null) ? named
                : firstNonNull(event -> directory.own(event.calledExtension()));
        named = named != null || out ? named : firstNonNull(event -> directory.own(event.called()));
        return named != null ? named : Directory.emitter(ownField(), firstNonNull(out ? CallEvent::caller : CallEvent::called));
    }

    /** The field that names the extension of this leg for sure; of the agent-side thread of a queue it is the called side. */
    private String ownField() {
        String caller = direction == Flow.OUT ? firstNonNull(CallEvent::callerExtension) : null;
        return caller != null ? caller : firstNonNull(CallEvent::calledExtension);
    }

    /** The leg is a channel of an Asterisk. */
    private boolean channel() {
        return events.get(0).channel() != null;
    }

    /** The outside party's own line: of no extension, but whether somebody talks to that party is known from it. */
    public boolean trunk() {
        return events.stream().anyMatch(event -> event.extensionType() == Extension.Type.TRUNK);
    }

    /** The phone rang for a colleague, and by his transfer the outside party came onto the leg: nobody is to be told who calls. */
    public boolean joined() {
        return direction == Flow.IN && start != null && start.remoteNumber() == null && !local && caller().own();
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
        return extension != null && extension.type() == Extension.Type.IVR;
    }

    /** The other party: the caller of an incoming leg, the called number of an outgoing one. */
    public Party party() {
        return party;
    }

    /** Both sides are extensions of this PBX and no RemoteNumber names an outside party (rules R12, R13, R29). */
    public boolean local() {
        return local;
    }

    /** Outgoing because of a forwarding rule, not because the employee dialled (rule R32). */
    public boolean forwarded() {
        return direction == Flow.OUT && events.stream().anyMatch(CallEvent::transferred);
    }

    public String callBackId() {
        return firstNonNull(CallEvent::callBackId);
    }

    /** The number that was called from outside, in E.164; dial-in's word counts, later events only fill a gap (R17). */
    public String did() {
        return directory.did(firstOf(CallEvent::did, start, hangup, answer));
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
        } else if (channel() || directory.durationUnit() != null) {
            return channel() ? ChronoUnit.MICROS : directory.durationUnit();
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
        return hangup.recordingId() != null ? hangup.recordingId() : firstNonNull(CallEvent::recordingId);
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
        boolean complete = channel() || start != null && answer != null && !forwarded();
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
        return channel() && direction == Flow.IN && hangup != null && List.of("cancel", "elsewhere").contains(String.valueOf(hangup.status()));
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

    private Flow direction() {
        if (start != null) {
            return start.type() == Type.DIAL_OUT ? Flow.OUT : Flow.IN;
        }
        Flow said = firstNonNull(CallEvent::flow);
        return said != null ? said : Flow.IN;
    }

    /**
     * The caller as dial-in gave it: the answer of an incoming call was seen to carry the answering side's own number
     * (rule R20). Without a dial-in an outside number of the hangup or the answer counts (rule R27).
     */
    private Party caller() {
        if (channel()) {
            String name = firstNonNull(CallEvent::callerExtension);
            // The line tells the caller's number after his coming, and the dialplan rewrites it: what was said last counts.
            String number = events.stream().map(CallEvent::caller).filter(Objects::nonNull).reduce((a, b) -> b).orElse(null);
            return name == null ? Directory.outside(told(number)) : own(name, number);
        }
        if (start != null) {
            return directory.party(start.caller());
        }
        List<Party> said = Stream.of(hangup, answer).filter(Objects::nonNull).map(e -> directory.party(e.caller())).toList();
        for (Party.Kind kind : List.of(Party.Kind.OUTSIDE, Party.Kind.HIDDEN)) {
            for (Party candidate : said) {
                if (candidate.kind() == kind) {
                    return candidate;
                }
            }
        }
        return said.isEmpty() ? directory.party(events.get(0).caller()) : said.get(0);
    }

    /** A colleague dialled by his short number is known by CalledExtension, which no call to the outside has (rule R29). */
    private Party called() {
        if (channel()) {
            String name = trunk() ? null : firstNonNull(CallEvent::calledExtension);
            String number = firstOf(CallEvent::called, start, answer, hangup);
            return name == null ? Directory.outside(directory.dialled(number)) : own(name, number);
        }
        Party number = directory.dialled(firstOf(CallEvent::called, start, answer, hangup));
        Party extension = directory.party(firstOf(CallEvent::calledExtension, start, answer, hangup));
        return !number.own() && extension.own() ? extension : number;
    }

    private Party own(String name, String number) {
        return new Party(Party.Kind.OWN, directory.named(name, Extension.Type.PHONE), null, number == null ? name : number);
    }

    private Party remote() {
        String raw = start != null && !channel() ? start.remoteNumber() : firstNonNull(CallEvent::remoteNumber);
        if (raw == null) {
            return null;
        }
        Party remote = channel() ? Directory.outside(told(raw)) : told(raw);
        return remote.own() ? null : remote;
    }

    /** A colleague may hand over whom he has called: that number is still written as he dialled it. */
    private Party told(String raw) {
        return dialled.contains(raw) ? directory.dialled(raw) : directory.party(raw);
    }

    private CallEvent first(Predicate<CallEvent> kind) {
        return events.stream().filter(kind).findFirst().orElse(null);
    }

    private <T> T firstNonNull(Function<CallEvent, T> field) {
        return events.stream().map(field).filter(Objects::nonNull).findFirst().orElse(null);
    }

    private static <T> T firstOf(Function<CallEvent, T> field, CallEvent... order) {
        return Stream.of(order).filter(Objects::nonNull).map(field).filter(Objects::nonNull).findFirst().orElse(null);
    }

    private static String idPart(String legId) {
        int dash = legId.indexOf('-');
        return dash < 0 ? null : legId.substring(0, dash);
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
        return reads == theirs && told.equals(legEvents) && dialled.equals(theirsDialled);
    }
}
