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
import java.util.concurrent.atomic.AtomicInteger;
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
    private static final long YIELD_MS = 50;
    /** A call that has waited so long goes like a card: cards that never end must not stop all calls. */
    private static final long PATIENCE_MS = 10_000;

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
        /** Counted before its turn: who waits for a call's permit must see it. */
        private final AtomicInteger cardsWaiting = new AtomicInteger();
        /** When the store is worth to be asked again, by whom may take all permits and by whom not; of {@link System#nanoTime()}. */
        private long allAtNanos = System.nanoTime();
        private long restAtNanos = allAtNanos;

        private Turn(String name, int rate, int burst) {
            this.name = name;
            this.rate = rate;
            this.burst = burst;
        }

        private void take(boolean card) throws InterruptedException {
            long patientUntil = System.nanoTime() + PATIENCE_MS * 1_000_000;
            cardsWaiting.addAndGet(card ? 1 : 0);
            try {
                take(card, patientUntil);
            } finally {
                cardsWaiting.addAndGet(card ? -1 : 0);
            }
        }

        private synchronized void take(boolean card, long patientUntil) throws InterruptedException {
            while (true) {
                boolean first = card || System.nanoTime() - patientUntil > 0;
                long wait = first || cardsWaiting.get() == 0 ? ask(first) : YIELD_MS;
                if (wait <= 0) {
                    return;
                }
                wait(Math.min(wait, LONGEST_WAIT_MS));
            }
        }

        /** @return 0: taken; else milliseconds */
        private long ask(boolean first) {
            int reserve = first || burst < WORTH_A_RESERVE ? 0 : burst / 2;
            long now = System.nanoTime();
            long at = first ? allAtNanos : restAtNanos;
            if (at - now > 0) {
                return (at - now) / 1_000_000 + 1;
            }
            long wait = permits.take(name, rate, burst, reserve).join();
            if (first) {
                allAtNanos = now + wait * 1_000_000;
            } else {
                restAtNanos = now + wait * 1_000_000;
            }
            return wait;
        }
    }
}
