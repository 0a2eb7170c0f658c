package io.callbridge.platform;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Map;

/** What each metric of Callbridge tells, in one place; one of a library that says nothing itself gets its name in words. */
final class MetricHelp {

    static final Map<String, String> TEXTS = Map.ofEntries(
            Map.entry("callbridge.events", "Events of PBXs, by what became of them"),
            Map.entry("callbridge.acknowledgement", "From the complete request of a PBX to the answer that its event is stored"),
            Map.entry("callbridge.pbx.last.event.seconds", "How long a PBX has said nothing"),
            Map.entry("callbridge.pbx.clock.seconds", "How far the clock of a PBX is from ours, ahead if positive"),
            Map.entry("callbridge.asterisk.connected", "1 while this replica reads the Asterisk"),
            Map.entry("callbridge.asterisk.connections", "Connections to the Asterisk that led to a login"),
            Map.entry("callbridge.asterisk.reconnects", "Those that were not the first"),
            Map.entry("callbridge.asterisk.cut", "Connections to the Asterisk that ended or failed, by the reason"),
            Map.entry("callbridge.asterisk.last.event.seconds", "How long the Asterisk has said nothing"),
            Map.entry("callbridge.legs.open", "Legs that have begun and not ended"),
            Map.entry("callbridge.decisions", "Decisions about calls, by the rule"),
            Map.entry("callbridge.process.failures", "Evaluations of calls that failed: a route or Callbridge is at fault"),
            Map.entry("callbridge.deliveries", "Deliveries to CRMs, by what became of them"),
            Map.entry("callbridge.attempts", "Requests to CRMs for deliveries, by the kind of answer"),
            Map.entry("callbridge.card", "From the arrival of an event to the card that the CRM has taken"),
            Map.entry("callbridge.crm.down", "1 while the CRM takes nothing"),
            Map.entry("callbridge.outbox", "Deliveries that wait, or are dead letters"),
            Map.entry("callbridge.outbox.oldest.seconds", "How long the oldest of them has waited"),
            Map.entry("callbridge.purged.calls", "Calls that were deleted after the retention"),
            Map.entry("callbridge.inbox.oldest.seconds", "How long the oldest event waits for what follows from it"),
            Map.entry("callbridge.store.commit", "Time of a commit"),
            Map.entry("callbridge.store.batch", "Writes that shared a commit"),
            Map.entry("callbridge.store.failures", "Writes that the store refused"),
            Map.entry("callbridge.store.waiting", "Writes that wait for the store"),
            Map.entry("callbridge.store.stuck.seconds", "How long what somebody waits for has waited for the store"));

    @Produces
    @Singleton
    MeterFilter help() {
        return new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                return id.getDescription() != null && !id.getDescription().isBlank() ? id : new Meter.Id(id.getName(), Tags.of(id.getTags()),
                        id.getBaseUnit(), TEXTS.getOrDefault(id.getName(), id.getName().replace('.', ' ')), id.getType());
            }
        };
    }
}
