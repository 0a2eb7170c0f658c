package io.callbridge.process;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Journal;
import io.callbridge.store.Timers;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;

/**
 * Brings work back to the lanes: timers that are due, and events that were acknowledged but not processed to the end, by
 * a kill or for want of room.
 */
@ApplicationScoped
@Named("recovery")
@RegisterForReflection
public class Recovery {

    private static final int AT_ONCE = 5_000;
    private static final int USUAL_SECONDS = 30;

    private final Journal journal;
    private final Timers timers;
    private final CallLanes lanes;
    private final Settings settings;
    private boolean started;

    public Recovery(Journal journal, Timers timers, CallLanes lanes, Settings settings) {
        this.journal = journal;
        this.timers = timers;
        this.lanes = lanes;
        this.settings = settings;
    }

    /** Timers that are due. */
    public void timers() {
        int room = Math.min(AT_ONCE, lanes.room());
        if (room > 0) {
            timers.take(settings.pbxs(), room).join().forEach(lanes::submit);
        }
    }

    /**
     * Open events: at the first call all of them, failed ones too; later those that were turned away for want of room, or that
     * wait for unusually long, here or on a replica that is no more.
     */
    public void events() {
        boolean all = lanes.overflowed() || !started;
        Instant before = all ? Time.now() : Time.now().minusSeconds(USUAL_SECONDS);
        int room = Math.min(AT_ONCE, lanes.room());
        if (room > 0) {
            journal.open(!started, before, settings.pbxs(), room).forEach(lanes::submit);
            started = true;
        }
    }
}
