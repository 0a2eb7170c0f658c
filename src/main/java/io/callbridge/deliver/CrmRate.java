package io.callbridge.deliver;

import io.callbridge.platform.CrmSettings;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Permits;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Variable;

/**
 * Lets a request to a CRM go when the CRM's limit allows it, and cards before calls: of a bucket that is worth it the half is
 * kept for them. Every request asks, since one delivery may need several.
 */
@ApplicationScoped
@Named("crmRate")
@RegisterForReflection
public class CrmRate {

    private static final int WORTH_A_RESERVE = 10;
    private static final long LONGEST_WAIT_MS = 1_000;

    private final Permits permits;
    private final Settings settings;
    private final Map<String, Turn> turns = new ConcurrentHashMap<>();

    public CrmRate(Permits permits, Settings settings) {
        this.permits = permits;
        this.settings = settings;
    }

    /**
     * Waits for its turn.
     *
     * @param operation {@code lookup} has a limit of its own if {@code callbridge.crm.<crm>.lookup-rate} is set
     */
    public void permit(@Variable("crm") String crm, @Variable("lane") String lane, @Variable("operation") String operation)
            throws InterruptedException {
        CrmSettings of = settings.crm(crm);
        boolean own = "lookup".equals(operation) && of.lookupRate() > 0;
        int rate = own ? of.lookupRate() : of.rate();
        if (rate > 0) {
            turns.computeIfAbsent(own ? crm + " lookup" : crm, name -> new Turn(name, rate, own ? 1 : of.burst()))
                    .take(Delivery.CARDS.equals(lane));
        }
    }

    private final class Turn {

        private final String name;
        private final int rate;
        private final int burst;
        private int cardsWaiting;

        private Turn(String name, int rate, int burst) {
            this.name = name;
            this.rate = rate;
            this.burst = burst;
        }

        private synchronized void take(boolean card) throws InterruptedException {
            int reserve = card || burst < WORTH_A_RESERVE ? 0 : burst / 2;
            cardsWaiting += card ? 1 : 0;
            try {
                long wait = LONGEST_WAIT_MS;
                while (!card && cardsWaiting > 0 || (wait = permits.take(name, rate, burst, reserve).join()) > 0) {
                    wait(Math.min(wait, LONGEST_WAIT_MS));
                    wait = LONGEST_WAIT_MS;
                }
            } finally {
                cardsWaiting -= card ? 1 : 0;
                notifyAll();
            }
        }
    }
}
