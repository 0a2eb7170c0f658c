package io.callbridge.process;

import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.Extension;
import io.callbridge.domain.Leg;
import io.callbridge.domain.Party;
import io.callbridge.platform.Facts;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.HashMap;
import java.util.Map;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;

/** The facts about one leg that the routes decide on. Every fact is there, so that a condition can name it. */
@ApplicationScoped
@Named("legFacts")
@RegisterForReflection
public class LegFacts {

    /** @param work a piece of work whose {@code subject} is the leg */
    public void of(@Body Map<String, Object> work, @ExchangeProperty(Fold.PROPERTY) Fold fold, Exchange exchange) {
        Facts.put(exchange, of(fold.call.leg((String) work.get("subject")), fold));
    }

    static Map<String, Object> of(Leg leg, Fold fold) {
        Extension extension = leg.extension();
        Party party = leg.party();
        String user = Call.user(leg);
        Map<String, Object> facts = new HashMap<>();
        facts.put("legId", leg.id());
        facts.put("callId", leg.callId());
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
        facts.put("calledFromInside", fold.call.calledFromInside());
        facts.put("forwardedAsOutgoing", fold.settings.forwardedAsOutgoing());
        facts.put("answered", leg.answered());
        facts.put("result", leg.result());
        facts.put("registered", fold.registered(leg.id()));
        facts.put("ended", leg.ended());
        facts.put("over", leg.over(fold.settings, fold.now));
        facts.put("settled", leg.ended() && !leg.decideAt(fold.settings).isAfter(fold.now));
        facts.put("mapped", user != null || extension != null && !leg.container() && fold.known.test(extension.name()));
        facts.put("defaultUser", fold.directory.defaultUser() == null ? "" : fold.directory.defaultUser());
        facts.put("callBack", leg.callBackId() != null);
        facts.put("containerSeen", fold.call.containerSeen());
        facts.put("subject", leg.id());
        return facts;
    }
}
