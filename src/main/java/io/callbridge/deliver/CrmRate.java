package io.callbridge.deliver;

import io.callbridge.platform.CrmSettings;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Memory;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
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

    private final Memory memory;
    private final Settings settings;
    private final Map<String, Queues> queues = new ConcurrentHashMap<>();

    public CrmRate(Memory memory, Settings settings) {
        this.memory = memory;
        this.settings = settings;
    }

    /** Who waits for a permit of a bucket; only the first of each asks the store. */
    private record Queues(ReentrantLock cards, ReentrantLock calls) {
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
            take(own ? crm + " lookup" : crm, rate, own ? 1 : of.burst(), Delivery.CARDS.equals(lane));
        }
    }

    private void take(String bucket, int rate, int burst, boolean card) throws InterruptedException {
        Queues waiting = queues.computeIfAbsent(bucket, name -> new Queues(new ReentrantLock(true), new ReentrantLock(true)));
        long patientUntil = System.nanoTime() + PATIENCE_MS * 1_000_000;
        ReentrantLock turn = card ? waiting.cards : waiting.calls;
        turn.lockInterruptibly();
        try {
            long wait;
            do {
                boolean first = card || System.nanoTime() - patientUntil > 0;
                int reserve = first || burst < WORTH_A_RESERVE ? 0 : burst / 2;
                wait = first || !waiting.cards.isLocked() ? memory.permit(bucket, rate, burst, reserve).join() : YIELD_MS;
                Thread.sleep(Math.min(wait, LONGEST_WAIT_MS));
            } while (wait > 0);
        } finally {
            turn.unlock();
        }
    }
}
