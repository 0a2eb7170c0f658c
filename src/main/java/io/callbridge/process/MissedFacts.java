package io.callbridge.process;

import io.callbridge.domain.Leg;
import io.callbridge.domain.MissedCall;
import io.callbridge.platform.Facts;
import io.callbridge.store.Delivery;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;

/** The facts on which "missed?" is decided for a whole call (rules R34 to R46). */
@ApplicationScoped
@Named("missedFacts")
@RegisterForReflection
public class MissedFacts {

    public void of(@ExchangeProperty(Fold.PROPERTY) Fold fold, Exchange exchange) {
        Instant decideAt = fold.call.decideAt(fold.now);
        Leg deciding = fold.call.decidingContainer();
        Leg container = deciding != null ? deciding : fold.call.ownCallersContainer();
        MissedCall phone = fold.call.missedWithoutContainer();
        Map<String, Object> facts = new HashMap<>();
        facts.put("due", decideAt != null && !decideAt.isAfter(fold.now) || fold.notMissed());
        facts.put("allOver", fold.call.allOver(fold.now));
        facts.put("container", container != null);
        facts.put("bridged", deciding != null && deciding.hangup().bridged());
        facts.put("ownCaller", container != null && deciding == null);
        facts.put("ivrBridged", fold.call.ivrBridged());
        facts.put("answered", fold.call.anyAnswered());
        facts.put("lost", fold.call.lost());
        facts.put("rang", phone != null);
        facts.put("place", container != null && container.extension() != null ? container.extension().name()
                : phone != null ? phone.place().name() : "");
        facts.put("written", fold.exists(Delivery.MISSED, fold.call.id()));
        facts.put("withoutContainer", fold.settings.missedWithoutContainer());
        facts.put("suppressIfAnswered", fold.settings.suppressMissedIfAnsweredLeg());
        facts.put("needsIvrNo", fold.settings.missedNeedsIvrNo());
        Facts.put(exchange, facts);
    }
}
