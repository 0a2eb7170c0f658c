package io.callbridge.process;

import io.callbridge.platform.Settings;
import io.callbridge.store.Effects;
import io.callbridge.store.Journal;
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

    private static final int AT_ONCE = 10_000;
    private static final int USUAL_SECONDS = 30;

    private final Journal journal;
    private final Effects effects;
    private final CallLanes lanes;
    private final Settings settings;
    private boolean started;

    public Recovery(Journal journal, Effects effects, CallLanes lanes, Settings settings) {
        this.journal = journal;
        this.effects = effects;
        this.lanes = lanes;
        this.settings = settings;
    }

    /** Timers that are due. */
    public void timers() {
        effects.due(settings.pbxs(), AT_ONCE).forEach(lanes::submit);
    }

    /** Open events: at the first call all of them, failed ones too, later those that wait for unusually long. */
    public void events() {
        Instant before = started ? Instant.now().minusSeconds(USUAL_SECONDS) : Instant.now();
        journal.open(!started, before, settings.pbxs(), AT_ONCE).forEach(lanes::submit);
        started = true;
    }
}
