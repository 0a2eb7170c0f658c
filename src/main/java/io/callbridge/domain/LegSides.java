package io.callbridge.domain;

import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.CallEvent.Type;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Who is on a leg: its extension and the other party, and in which direction they called; which of its events count. */
final class LegSides {

    final CallEvent start;
    final CallEvent answer;
    final CallEvent hangup;
    final Flow direction;
    final Extension extension;
    final boolean container;
    final Party party;
    final boolean local;
    private final Directory directory;
    private final List<CallEvent> events;
    private final Set<String> dialled;

    /**
     * @param events of one SubCallID, each once, in their order
     * @param dialled numbers as extensions of this call have dialled them
     */
    LegSides(Directory directory, List<CallEvent> events, Set<String> dialled) {
        this.events = events;
        this.dialled = dialled;
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
    boolean channel() {
        return events.get(0).channel() != null;
    }

    boolean trunk() {
        return events.stream().anyMatch(event -> event.extensionType() == Extension.Type.TRUNK);
    }

    String did() {
        return directory.did(firstOf(CallEvent::did, start, hangup, answer));
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
    Party caller() {
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

    <T> T firstNonNull(Function<CallEvent, T> field) {
        return events.stream().map(field).filter(Objects::nonNull).findFirst().orElse(null);
    }

    private static <T> T firstOf(Function<CallEvent, T> field, CallEvent... order) {
        return Stream.of(order).filter(Objects::nonNull).map(field).filter(Objects::nonNull).findFirst().orElse(null);
    }

    private static String idPart(String legId) {
        int dash = legId.indexOf('-');
        return dash < 0 ? null : legId.substring(0, dash);
    }
}
