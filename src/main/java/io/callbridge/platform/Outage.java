package io.callbridge.platform;

import java.time.Duration;
import java.time.Instant;
import org.jboss.logging.Logger;

/** Something that Callbridge needs is away: said once when it goes, and once, with how long it was, when it is back. */
public final class Outage {

    private final Logger log;
    private final String gone;
    private final String back;
    private Instant since;
    private long failedNanos;
    private String reason;

    /** @param gone what is said then, with the reason behind it; {@code back}: with how long behind it */
    public Outage(Logger log, String gone, String back) {
        this.log = log;
        this.gone = gone;
        this.back = back;
    }

    /** @return whether it was there until now */
    public boolean begins(String why) {
        return begins(why, Time.now());
    }

    /** @param at when it was missed first: it may take more than one failure to call it away */
    public synchronized boolean begins(String why, Instant at) {
        boolean news = since == null;
        since = news ? at : since;
        reason = why;
        failedNanos = System.nanoTime();
        if (news) {
            log.errorf("%s: %s", gone, why);
        }
        return news;
    }

    /** For what works now and then while it is away: it is back when nothing has failed for so long. */
    public synchronized void endsAfter(Duration quiet) {
        if (since != null && System.nanoTime() - failedNanos >= quiet.toNanos()) {
            ends();
        }
    }

    /** @return whether it was away until now */
    public synchronized boolean ends() {
        boolean was = since != null;
        if (was) {
            long seconds = Duration.between(since, Time.now()).toSeconds();
            log.infof("%s after %s", back, seconds < 120 ? seconds + " s" : seconds / 60 + " min");
        }
        since = null;
        return was;
    }

    public synchronized boolean lasts() {
        return since != null;
    }

    /** Since when it is away; {@code null}: it is there. */
    public synchronized Instant since() {
        return since;
    }

    /** What was said the last time, while it is away. */
    public synchronized String reason() {
        return reason;
    }
}
