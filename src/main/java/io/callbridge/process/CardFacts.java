package io.callbridge.process;

import io.callbridge.domain.Call.CardEnd;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Facts;
import io.callbridge.store.Delivery;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;

/** The facts about the card of every leg of a call: one event can end the cards of other legs too (rule R21). */
@ApplicationScoped
@Named("cardFacts")
@RegisterForReflection
public class CardFacts {

    /** Facts of {@link LegFacts}, and {@code shown}, {@code told} (that it was answered), {@code hidden}, {@code fresh}, {@code end}, {@code answeredBy}. */
    public void of(@Body String legId, @ExchangeProperty(Fold.PROPERTY) Fold fold, Exchange exchange) {
        Facts.put(exchange, facts(fold.call.leg(legId), fold));
    }

    /** Ids of the legs that may have a card, and something came for them, or their card is not what it should be: of fifty phones one rings on. */
    public List<String> legs(@ExchangeProperty(Fold.PROPERTY) Fold fold) {
        return fold.call.legs().stream().filter(leg -> leg.start() != null && !leg.container() && !leg.trunk())
                .filter(leg -> fold.subjects.contains(leg.id()) || isOdd(leg, fold)).map(Leg::id).toList();
    }

    private static boolean isOdd(Leg leg, Fold fold) {
        return fold.exists(Delivery.CARD, leg.id()) && !fold.exists(Delivery.CARD_END, leg.id()) && fold.call.cardEnd(leg, fold.now).isPresent();
    }

    private static Map<String, Object> facts(Leg leg, Fold fold) {
        Map<String, Object> facts = LegFacts.of(leg, fold);
        Optional<CardEnd> end = fold.call.cardEnd(leg, fold.now);
        // One that was shown before a power cut took its row has to be ended, too.
        boolean had = fold.open.again.contains(leg.id()) && facts.get("mapped").equals(true)
                && Stream.of("local", "forwarded", "joined").noneMatch(fact -> facts.get(fact).equals(true));
        facts.put("shown", fold.exists(Delivery.CARD, leg.id()) || had && end.isPresent());
        facts.put("told", fold.exists(Delivery.ANSWER, leg.id()));
        facts.put("hidden", fold.exists(Delivery.CARD_END, leg.id()));
        facts.put("fresh", leg.start().arrivedAt().plus(fold.settings.cardTtl()).isAfter(fold.now));
        facts.put("end", end.map(CardEnd::reason).orElse(""));
        facts.put("answeredBy", end.map(CardEnd::answeredBy).orElse(""));
        return facts;
    }
}
