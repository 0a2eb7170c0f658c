package io.callbridge.admin;

import io.callbridge.domain.Call;
import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Leg;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A leg as the administration API shows it. Without {@code endedAt} it rings, or talks if there is {@code answeredAt}; unless it has a
 * {@code result}: then it was given up without a hangup (rule R50).
 */
final class LegView {

    private LegView() {
    }

    static Map<String, Object> of(Leg leg, CallSettings settings, Instant now) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("legId", leg.id());
        if (leg.extension() != null) {
            view.put("extension", leg.extension().name());
            view.put("type", leg.extension().type().word());
        }
        if (Call.user(leg) != null) {
            view.put("user", Call.user(leg));
        }
        view.put("direction", leg.flow().name().toLowerCase(Locale.ROOT));
        view.put("party", leg.party().raw() == null ? "hidden" : leg.party().raw());
        view.put("local", leg.local());
        view.put("forwarded", leg.forwarded());
        view.put("startedAt", leg.startedAt().toString());
        if (leg.answered()) {
            view.put("answeredAt", leg.answeredAt().toString());
        }
        if (leg.ended()) {
            view.put("endedAt", leg.endedAt(settings).toString());
            view.put("result", leg.result());
            view.put("talkSeconds", leg.talkSeconds());
        } else if (leg.over(settings, now)) {
            view.put("result", "unknown");
        }
        return view;
    }
}
