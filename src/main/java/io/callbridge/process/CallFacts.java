package io.callbridge.process;

import io.callbridge.domain.Call.CardEnd;
import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.Extension;
import io.callbridge.domain.Leg;
import io.callbridge.domain.MissedCall;
import io.callbridge.domain.Party;
import io.callbridge.store.Delivery;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The facts that the routes decide on, each a variable. Every one is there, so that a condition can name it. */
final class CallFacts {

    private CallFacts() {
    }

    /** About one leg. @param known its extension has a user in a CRM */
    static Map<String, Object> leg(Leg leg, Evaluation evaluation, boolean known) {
        Extension extension = leg.extension();
        Party party = leg.party();
        Map<String, Object> facts = new HashMap<>(64);
        facts.put("whole", false);
        facts.put("pbx", evaluation.open.pbx);
        facts.put("callId", evaluation.open.callId);
        facts.put("legId", leg.id());
        facts.put("changed", evaluation.subjects.contains(leg.id()));
        facts.put("direction", leg.flow() == Flow.IN ? "in" : "out");
        facts.put("extension", extension == null ? "" : extension.name());
        facts.put("extensionType", extension == null ? "unknown" : extension.type().word());
        facts.put("container", leg.container());
        facts.put("trunk", leg.trunk());
        facts.put("joined", leg.joined());
        facts.put("lost", leg.lost());
        facts.put("lostHow", leg.unlisted() ? "the PBX does not say which calls live on after the connection was interrupted"
                : "ended while the connection to the PBX was interrupted");
        facts.put("bridged", leg.hangup() == null || leg.hangup().bridged() == null ? "" : leg.hangup().bridged() ? "yes" : "no");
        facts.put("local", leg.local());
        facts.put("party", party.raw() == null ? "hidden" : party.raw());
        facts.put("forwarded", leg.forwarded());
        facts.put("calledFromInside", evaluation.call.calledFromInside());
        facts.put("forwardedAsOutgoing", evaluation.settings.forwardedAsOutgoing());
        facts.put("answered", leg.answered());
        facts.put("result", leg.result());
        facts.put("registered", evaluation.registered(leg.id()));
        facts.put("ended", leg.ended());
        facts.put("over", leg.over(evaluation.settings, evaluation.now));
        facts.put("settled", leg.ended() && !leg.decideAt(evaluation.settings).isAfter(evaluation.now));
        facts.put("mapped", Call.user(leg) != null || known && !leg.container());
        facts.put("defaultUser", evaluation.directory.defaultUser() == null ? "" : evaluation.directory.defaultUser());
        facts.put("callBack", leg.callBackId() != null);
        facts.put("containerSeen", evaluation.call.containerSeen());
        card(leg, evaluation, facts);
        return facts;
    }

    /** One event can end the cards of other legs too (rule R21). */
    private static void card(Leg leg, Evaluation evaluation, Map<String, Object> facts) {
        boolean card = evaluation.concernsCard(leg);
        Optional<CardEnd> end = card ? evaluation.call.cardEnd(leg, evaluation.now) : Optional.empty();
        // One that was shown before a power cut took its row has to be ended, too.
        boolean had = end.isPresent() && evaluation.open.again.contains(leg.id()) && facts.get("mapped").equals(true)
                && Stream.of("local", "forwarded", "joined").noneMatch(fact -> facts.get(fact).equals(true));
        facts.put("card", card);
        facts.put("shown", had || evaluation.exists(Delivery.CARD, leg.id()));
        facts.put("notified", evaluation.exists(Delivery.ANSWER, leg.id()));
        facts.put("hidden", evaluation.exists(Delivery.CARD_END, leg.id()));
        facts.put("fresh", leg.start() != null && leg.start().arrivedAt().plus(evaluation.settings.cardTtl()).isAfter(evaluation.now));
        facts.put("end", end.map(CardEnd::reason).orElse(""));
        facts.put("answeredBy", end.map(CardEnd::answeredBy).orElse(""));
    }

    /** About the whole call, on which "missed?" is decided (rules R34 to R46). */
    static Map<String, Object> whole(Evaluation evaluation) {
        Call call = evaluation.call;
        Instant decideAt = call.decideAt(evaluation.now);
        Leg deciding = call.decidingContainer();
        Leg container = deciding != null ? deciding : call.ownCallersContainer();
        MissedCall phone = call.missedWithoutContainer();
        Map<String, Object> facts = new HashMap<>(32);
        facts.put("whole", true);
        facts.put("pbx", evaluation.open.pbx);
        facts.put("callId", evaluation.open.callId);
        facts.put("due", decideAt != null && !decideAt.isAfter(evaluation.now) || evaluation.notMissed());
        facts.put("allOver", call.allOver(evaluation.now));
        facts.put("container", container != null);
        facts.put("bridged", deciding != null && deciding.hangup().bridged());
        facts.put("ownCaller", container != null && deciding == null);
        facts.put("ivrBridged", call.ivrBridged());
        facts.put("answered", call.anyAnswered());
        facts.put("lost", call.lost());
        facts.put("rang", phone != null);
        facts.put("place", container != null && container.extension() != null ? container.extension().name()
                : phone != null ? phone.place().name() : "");
        facts.put("written", evaluation.exists(Delivery.MISSED, call.id()));
        facts.put("withoutContainer", evaluation.settings.missedWithoutContainer());
        facts.put("suppressIfAnswered", evaluation.settings.suppressMissedIfAnsweredLeg());
        facts.put("needsIvrNo", evaluation.settings.missedNeedsIvrNo());
        return facts;
    }
}
