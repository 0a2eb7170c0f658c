package io.callbridge.domain;

import io.callbridge.domain.CallEvent.Flow;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One call: what the legs of a CallID say together (rules R34 to R46). Pure: the same events give the same answers, in any
 * order and however often they were delivered. Only the deadlines look at arrivals.
 */
public final class Call {

    /** So far the answer that took a call may lie behind the moment at which the other phones stopped ringing. */
    static final Duration SAME_MOMENT = Duration.ofSeconds(1);
    private static final Comparator<Leg> BY_END = Comparator.comparing((Leg leg) -> leg.hangup().at()).thenComparing(Leg::id);

    private final Directory directory;
    private final CallSettings settings;
    private final List<Leg> legs;
    private final List<Leg> related;

    private Call(Directory directory, CallSettings settings, List<Leg> legs, List<Leg> related) {
        this.directory = directory;
        this.settings = settings;
        this.legs = legs;
        this.related = related;
    }

    /**
     * @param events all events of one CallID, at least one
     * @param sameCallBack events of other CallIDs that carry one of this call's CallBackIDs (rule R44)
     */
    public static Call of(Directory directory, CallSettings settings, List<CallEvent> events,
            List<CallEvent> sameCallBack) {
        return of(directory, settings, events, sameCallBack, List.of());
    }

    /** @param before legs as they were the last time: one that no event came for is the same */
    public static Call of(Directory directory, CallSettings settings, List<CallEvent> events, List<CallEvent> sameCallBack, List<Leg> before) {
        if (events.isEmpty()) {
            throw new IllegalArgumentException("a call has at least one event");
        }
        return new Call(directory, settings, Leg.all(directory, events, before), Leg.all(directory, sameCallBack, List.of()));
    }

    public String id() {
        return legs.get(0).callId();
    }

    /** By start, then by id. */
    public List<Leg> legs() {
        return legs;
    }

    /** @return the leg, or {@code null} when no event of it is known */
    public Leg leg(String legId) {
        return legs.stream().filter(leg -> leg.id().equals(legId)).findFirst().orElse(null);
    }

    /** CRM user of a leg's phone; {@code null}: unmapped. */
    public static String user(Leg leg) {
        return leg.extension() == null || leg.container() ? null : leg.extension().user();
    }

    // ---- cards

    /** How a card ends: {@code reason} of contract section 3; {@code answeredBy} = extension that took the call. */
    public record CardEnd(String reason, String answeredBy) {
    }

    /**
     * Whether and how the card of a leg has come to its end by {@code now}. A phone that stops ringing while others of
     * the call ring on may have lost the call to an answer that is still on its way, and a hangup may have overtaken the
     * answer of its own leg: the end waits for that, at most the settle delay. An Asterisk tells of the phones that lost
     * before it tells who won, and the one that picked up the call has not rung at all.
     */
    public Optional<CardEnd> cardEnd(Leg leg, Instant now) {
        if (leg.answered()) {
            return leg.ended() ? Optional.of(new CardEnd("ended", null)) : expired(leg, now);
        }
        boolean patient = leg.ended() && now.isBefore(leg.hangup().arrivedAt().plus(settings.settleDelay()));
        if (patient && leg.maybeAnswered()) {
            return Optional.empty();
        }
        Optional<Leg> taker = leg.flow() == Flow.IN ? taker(leg) : Optional.empty();
        if (taker.isPresent()) {
            Leg took = taker.get();
            return Optional.of(new CardEnd("answered-elsewhere",
                    took.extension() == null || took.trunk() ? null : took.extension().name()));
        }
        if (!leg.ended()) {
            return expired(leg, now);
        }
        // Whether a phone that lost says "cancel", "noanswer" or "answer" is documented nowhere (R25); these it never says.
        boolean maybeTaken = leg.flow() == Flow.IN && !List.of("busy", "congestion", "chanunavail")
                .contains(String.valueOf(leg.hangup().status()));
        if (maybeTaken && patient && legs.stream().anyMatch(other -> rings(other) && !other.ended())
                || leg.maybePickedUp() && !callerGone() && now.isBefore(leg.hangup().arrivedAt().plus(leg.momentOfTaking(settings)))) {
            return Optional.empty();
        }
        return Optional.of(new CardEnd("unanswered", null));
    }

    private Optional<CardEnd> expired(Leg leg, Instant now) {
        return leg.over(settings, now) ? Optional.of(new CardEnd("expired", null)) : Optional.empty();
    }

    /** The outside caller's own line is over: nobody takes his call any more. */
    private boolean callerGone() {
        return legs.stream().anyMatch(leg -> leg.trunk() && leg.flow() == Flow.IN && leg.ended());
    }

    /** The leg that was answered while this one rang, or at the moment at which it stopped. */
    private Optional<Leg> taker(Leg ringing) {
        return legs.stream().filter(other -> other != ringing && !other.local() && other.answered())
                .filter(other -> other.flow() == Flow.IN && !other.trunk() || other.forwarded())
                .filter(other -> !other.answeredAt().isBefore(ringing.startedAt()))
                .filter(other -> !ringing.ended()
                        || !other.answeredAt().isAfter(ringing.hangup().at().plus(ringing.momentOfTaking(settings))))
                .min(Comparator.comparing(Leg::answeredAt).thenComparing(Leg::id));
    }

    private static boolean rings(Leg leg) {
        return !leg.local() && !leg.container() && (leg.flow() == Flow.IN && !leg.trunk() || leg.forwarded()) && !leg.answered()
                && leg.start() != null;
    }

    // ---- facts about the whole call

    /** The outside caller of this call as its incoming legs, then its containers, name him; {@code null}: none. */
    public Party outsideCaller() {
        return Stream.concat(legs.stream().filter(leg -> !leg.container()), legs.stream().filter(Leg::container))
                .filter(leg -> leg.flow() == Flow.IN && !leg.local()).map(Leg::party)
                .findFirst().orElse(null);
    }

    /** An employee began this call: an incoming leg is local and no leg has an outside caller. */
    public boolean calledFromInside() {
        return outsideCaller() == null && legs.stream().anyMatch(leg -> leg.flow() == Flow.IN && leg.local());
    }

    /** The DID through which the call entered; {@code null}: none said. */
    public String did() {
        return legs.stream().filter(leg -> leg.flow() == Flow.IN).map(Leg::did).filter(Objects::nonNull).findFirst()
                .orElse(null);
    }

    /** An IVR or queue reported an event under this CallID or under one of its CallBackIDs (rule R44). */
    public boolean containerSeen() {
        return Stream.concat(legs.stream(), related.stream()).anyMatch(Leg::container);
    }

    /** An IVR or queue has taken part, or routed a leg, or may still: a leg was started through the PBX's API (rules R42, R44). */
    public boolean containerTakesPart() {
        return containerSeen() || namedContainer(Extension.Type.IVR) || namedContainer(Extension.Type.QUEUE)
                || legs.stream().anyMatch(leg -> leg.callBackId() != null);
    }

    /**
     * When the call was over, in the PBX's time: its last leg was hung up, or is given up (rule R50). In a container that says
     * nothing a caller may wait as long as others talk.
     */
    public Instant overAt() {
        return legs.stream().map(leg -> leg.container() && !leg.ended() ? leg.startedAt().plus(settings.maxTalk()) : leg.endedAt(settings))
                .max(Comparator.naturalOrder()).orElseThrow();
    }

    // ---- missed

    /**
     * When the question "missed?" may be answered, counted from arrivals (rule R42).
     *
     * @return {@code null} while nothing that could decide has happened
     */
    public Instant decideAt(Instant now) {
        Optional<Instant> lastHangup = legs.stream().filter(Leg::ended).map(leg -> leg.hangup().arrivedAt())
                .max(Comparator.naturalOrder()).or(() -> lastGivenUp(now));
        if (lastHangup.isEmpty()) {
            return null;
        }
        Optional<Instant> ivrHangup = verdicts().filter(Leg::ivr).map(leg -> leg.hangup().arrivedAt())
                .max(Comparator.naturalOrder());
        if (ivrHangup.isPresent()) {
            return ivrHangup.get().plus(settings.missedDelay());
        }
        if (namedContainer(Extension.Type.IVR)) {
            return lastHangup.get().plus(settings.maxContainerWait());
        }
        Optional<Instant> queueHangup = verdicts().map(leg -> leg.hangup().arrivedAt()).max(Comparator.naturalOrder());
        if (queueHangup.isPresent()) {
            return queueHangup.get().plus(settings.missedDelay());
        }
        if (namedContainer(Extension.Type.QUEUE)) {
            return lastHangup.get().plus(settings.maxContainerWait());
        }
        if (!allOver(now)) {
            return null;
        }
        // Not before its legs are settled: an answer that was overtaken may still change everything.
        return talks().filter(Leg::ended).map(leg -> leg.decideAt(settings)).reduce(lastHangup.get().plus(settings.missedDelay()),
                (a, b) -> a.isAfter(b) ? a : b);
    }

    /** Every hangup was lost (rule R50): the call ends for us when the last of its phones is given up. */
    private Optional<Instant> lastGivenUp(Instant now) {
        return legs.stream().filter(leg -> !leg.container() && leg.over(settings, now)).map(leg -> leg.limitAt(settings))
                .max(Comparator.naturalOrder());
    }

    /**
     * The container whose word counts for the outside caller: the last queue, else the last IVR (rules R39, R40);
     * {@code null}: none spoke about him.
     */
    public Leg decidingContainer() {
        return verdicts().filter(leg -> !leg.ivr()).max(BY_END)
                .orElseGet(() -> verdicts().filter(Leg::ivr).max(BY_END).orElse(null));
    }

    /** A container that spoke although nobody outside called: staff tests the menu, or asks a queue (rule R38). */
    public Leg ownCallersContainer() {
        return outsideCaller() != null ? null
                : legs.stream().filter(leg -> leg.container() && leg.local() && leg.ended()).max(BY_END).orElse(null);
    }

    /** The last IVR says that the caller was connected. */
    public boolean ivrBridged() {
        return verdicts().filter(Leg::ivr).max(BY_END).map(leg -> leg.hangup().bridged()).orElse(false);
    }

    /** Somebody talked to the caller. */
    public boolean anyAnswered() {
        return talks().anyMatch(Leg::answered);
    }

    /** Every leg on which somebody could still talk to the caller is over. */
    public boolean allOver(Instant now) {
        return talks().allMatch(leg -> leg.over(settings, now));
    }

    /** What became of the caller is not known: a leg of his ended while the connection to the PBX was interrupted. */
    public boolean lost() {
        return conversations().anyMatch(Leg::lost);
    }

    /** The phone that rang last, for a call from outside; {@code null}: none rang. */
    public Leg lastRung() {
        return legs.stream().filter(leg -> !leg.container() && !leg.trunk() && !leg.local() && leg.flow() == Flow.IN && leg.extension() != null)
                .max(Comparator.comparing(Leg::startedAt).thenComparing(Leg::id)).orElse(null);
    }

    /** The missed call as the deciding container tells it (rules R36, R37). */
    public MissedCall missedAt(Leg containerLeg) {
        Party caller = containerLeg.party();
        Party known = outsideCaller();
        if (caller.kind() != Party.Kind.OUTSIDE && known != null) {
            caller = known;
        }
        String did = containerLeg.did() != null ? containerLeg.did() : did();
        Extension place = containerLeg.extension() != null ? containerLeg.extension()
                : new Extension(containerLeg.id(), Extension.Type.UNKNOWN, null, null);
        return new MissedCall(id(), caller, did, place, rung(), startedAt(), containerLeg.hangup().at(), "R36");
    }

    /** The missed call when no container took part (rule R46); {@code null}: no phone rang. */
    public MissedCall missedWithoutContainer() {
        Leg rung = lastRung();
        if (rung == null) {
            return null;
        }
        Instant lastEnd = talks().map(Leg::lastTime).max(Comparator.naturalOrder()).orElseThrow();
        return new MissedCall(id(), outsideCaller(), did(), rung.extension(), rung(), startedAt(), lastEnd, "R46");
    }

    /** When the caller was served after he had been lost (rule R45); {@code null}: he was not. */
    public Instant servedAt() {
        Optional<Instant> lost = verdicts().filter(leg -> !leg.hangup().bridged()).map(leg -> leg.hangup().at())
                .max(Comparator.naturalOrder());
        Optional<Instant> talk = talks().filter(Leg::answered).map(Leg::answeredAt)
                .filter(answered -> lost.isEmpty() || answered.isAfter(lost.get())).min(Comparator.naturalOrder());
        Leg deciding = decidingContainer();
        if (deciding != null && deciding.hangup().bridged()) {
            return talk.orElse(deciding.hangup().at());
        }
        return deciding == null ? talk.orElse(null) : null;
    }

    /** Time of the call's first event; of one whose first events were lost, when its first talk began. */
    public Instant startedAt() {
        return legs.stream().flatMap(leg -> Stream.concat(Stream.of(leg.startedAt()), leg.events().stream().map(CallEvent::at)))
                .min(Comparator.naturalOrder()).orElseThrow();
    }

    private List<Extension> rung() {
        return legs.stream().filter(leg -> !leg.local() && leg.flow() == Flow.IN && leg.extension() != null && !leg.container())
                .sorted(Comparator.comparing(Leg::startedAt).thenComparing(Leg::id).reversed()).map(Leg::extension).toList();
    }

    /** A colleague's own call to a queue says nothing about the outside caller whom he has on another line (R38). */
    private Stream<Leg> verdicts() {
        return legs.stream().filter(leg -> leg.container() && !leg.local() && leg.hangup() != null);
    }

    /** Legs on which somebody may talk to the caller: incoming ones, his own line, and forwarded ones. */
    private Stream<Leg> conversations() {
        return legs.stream().filter(leg -> !leg.container() && !leg.local()
                && (leg.flow() == Flow.IN || leg.forwarded()));
    }

    /**
     * Legs of which one answer means that the caller was not missed. Where no container spoke, an employee's own call to the
     * outside is one too: the party that he wanted to hand over he has on the line (R46). A leg started through the PBX's
     * API is none: it only fetches the party (R44).
     */
    private Stream<Leg> talks() {
        Stream<Leg> calledOut = legs.stream().filter(leg -> !leg.container() && !leg.local() && leg.flow() == Flow.OUT
                && !leg.forwarded() && leg.callBackId() == null);
        return decidingContainer() != null ? conversations() : Stream.concat(conversations(), calledOut);
    }

    /** A container of this type took part although it has not hung up: by its dial-in, or by routing a leg (R42). */
    private boolean namedContainer(Extension.Type type) {
        return legs.stream().filter(leg -> !leg.local())
                .anyMatch(leg -> leg.container() && leg.start() != null && isA(type, leg.extension()) || routedBy(type, leg));
    }

    private boolean routedBy(Extension.Type type, Leg leg) {
        return leg.events().stream().map(event -> directory.own(event.callerExtension()))
                .anyMatch(routing -> isA(type, routing) && !routing.equals(leg.extension()));
    }

    private static boolean isA(Extension.Type type, Extension extension) {
        return extension != null && extension.type() == type;
    }
}
