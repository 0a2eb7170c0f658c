package io.callbridge.deliver;

import io.callbridge.platform.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** The gate of each active CRM. */
@ApplicationScoped
public class CrmGates {

    private final Map<String, Gate> gates = new HashMap<>();

    public CrmGates(Settings settings, MeterRegistry meters) {
        for (String crm : settings.crms()) {
            Gate gate = new Gate(settings.number("deliver.retry.first-delay-ms"),
                    settings.number("deliver.retry.max-delay-ms"));
            gates.put(crm, gate);
            meters.gauge("callbridge.crm.down", Tags.of("crm", crm), gate, g -> g.down() ? 1 : 0);
        }
    }

    /** Since when a CRM has given no answer, in milliseconds since 1970; 0: it answers, or was not asked. */
    public long downSinceMs(String crm) {
        return of(crm).downSinceMs();
    }

    /** Why a CRM refuses Callbridge itself; {@code null}: it does not. */
    public String refusal(String crm) {
        return of(crm).refusal();
    }

    Gate of(String crm) {
        return gates.get(crm);
    }

    /**
     * Whether a CRM may be asked now. After a few failures in a row, or one refusal of Callbridge itself, it counts as down, and is
     * then asked by one request at a time, at growing distances, until it answers. Cards and calls ask each at their own times: a CRM
     * that fails for the ones only must get the others.
     */
    static final class Gate {

        /** Failures in a row after which a CRM is down. */
        private static final int DOWN_AFTER = 3;
        /** A CRM that is back is noticed after this time at the latest. */
        private static final long LONGEST_PROBE_DELAY_MS = 30_000;
        /** A card is worth a probe of its own, but not more often than this. */
        private static final long CARD_PROBE_DELAY_MS = 1_000;

        private final long firstDelayMs;
        private final long maxDelayMs;
        private int failures;
        private int callProbesFailed;
        private long callProbeAtMs;
        private long cardProbeAtMs;
        private boolean probing;
        private boolean askedFor;
        private long downSinceMs;
        private String refusal;
        private boolean refusesCalls;

        Gate(long firstDelayMs, long maxDelayMs) {
            this.firstDelayMs = firstDelayMs;
            this.maxDelayMs = Math.min(maxDelayMs, LONGEST_PROBE_DELAY_MS);
        }

        /** How many requests may begin now, at most {@code wanted}. A CRM that is down may be given one, a {@link #probe}. */
        synchronized int permits(boolean cards, int wanted, long nowMs) {
            if (!down() || wanted <= 0) {
                return wanted;
            }
            return !probing && (askedFor || nowMs >= (cards ? cardProbeAtMs : callProbeAtMs)) ? 1 : 0;
        }

        /** Somebody wants it to be asked now: if it is down, by one request, whatever is under way. */
        synchronized void askNow() {
            askedFor = down();
        }

        /** The request that begins is the only one for now. @return whether it is a probe, whose end {@link #probed} must be told */
        synchronized boolean probe() {
            askedFor = false;
            if (!down()) {
                return false;
            }
            probing = true;
            return true;
        }

        synchronized void probed() {
            probing = false;
        }

        synchronized boolean down() {
            return failures >= DOWN_AFTER;
        }

        /** Since 1970, when the first of the failures came; 0: it is not down. */
        synchronized long downSinceMs() {
            return down() ? downSinceMs : 0;
        }

        /** Why it takes nothing of Callbridge: {@link CrmAnswer#refusal}; {@code null}: it does not refuse all. */
        synchronized String refusal() {
            return refusal;
        }

        /**
         * The CRM answered, whatever it said. That it takes cards, which may go without a look-up, says nothing about a refusal that
         * calls got: it ends when one of them is taken.
         *
         * @param cards as for {@link #failed}
         * @return whether it was down until now
         */
        synchronized boolean answered(boolean cards) {
            boolean was = down();
            if (cards && refusesCalls) {
                return false;
            }
            failures = 0;
            askedFor = false;
            callProbesFailed = 0;
            refusal = null;
            refusesCalls = false;
            return was;
        }

        /**
         * The CRM gave no answer, or one that means "later".
         *
         * @param cards it was a card or the end of one
         * @param askedMs how long it asked to be left alone; 0: it did not
         * @param refuses why it takes nothing, which needs to be said only once; {@code null}: it may be another time
         * @return whether it is down, or refuses, since this failure
         */
        synchronized boolean failed(boolean cards, long nowMs, long askedMs, String refuses) {
            boolean was = down();
            boolean news = refuses != null && refusal == null;
            if (probing && !cards) {
                callProbesFailed++;
            }
            if (failures++ == 0) {
                downSinceMs = nowMs;
            }
            if (refuses != null) {
                refusal = refuses;
                refusesCalls |= !cards;
                failures = Math.max(failures, DOWN_AFTER);
            }
            long delay = Math.min(maxDelayMs, firstDelayMs << Math.min(20, callProbesFailed));
            if (cards || !was) {
                cardProbeAtMs = nowMs + Math.min(CARD_PROBE_DELAY_MS, delay);
            }
            if (!cards || !was) {
                callProbeAtMs = nowMs + delay / 2 + ThreadLocalRandom.current().nextLong(delay / 2 + 1);
            }
            cardProbeAtMs = Math.max(cardProbeAtMs, nowMs + askedMs);
            callProbeAtMs = Math.max(callProbeAtMs, nowMs + askedMs);
            return news || !was && down();
        }
    }
}
