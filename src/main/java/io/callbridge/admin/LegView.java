package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.callbridge.domain.Call;
import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Leg;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.Locale;

/**
 * A leg as the administration API shows it. Without {@code endedAt} it rings, or talks if there is {@code answeredAt}; unless it has a
 * {@code result}: then it was given up without a hangup (rule R50).
 */
@RegisterForReflection
@JsonInclude(Include.NON_NULL)
record LegView(String legId, String extension, String type, String user, String direction, String party, boolean local, boolean forwarded,
        Instant startedAt, Instant answeredAt, Instant endedAt, String result, Long talkSeconds) {

    static LegView of(Leg leg, CallSettings settings, Instant now) {
        boolean ended = leg.ended();
        return new LegView(leg.id(), leg.extension() == null ? null : leg.extension().name(),
                leg.extension() == null ? null : leg.extension().type().word(), Call.user(leg), leg.flow().name().toLowerCase(Locale.ROOT),
                leg.party().raw() == null ? "hidden" : leg.party().raw(), leg.local(), leg.forwarded(), leg.startedAt(),
                leg.answered() ? leg.answeredAt() : null, ended ? leg.endedAt(settings) : null,
                ended ? leg.result() : leg.over(settings, now) ? "unknown" : null, ended ? leg.talkSeconds() : null);
    }
}
