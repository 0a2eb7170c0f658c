package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.callbridge.domain.Call;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The calls in progress at all replicas, as the store knows them. Of a call that has not changed nothing is read again. */
@ApplicationScoped
class LiveCalls {

    /** More than a person can follow. */
    private static final int MOST = 100;

    /** @param more there are more than are told */
    @RegisterForReflection
    record View(boolean more, List<LiveCall> calls) {
    }

    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record LiveCall(String callId, String pbx, String direction, String number, Instant firstAt, List<LegView> legs) {
    }

    private record Seen(long version, LiveCall call) {
    }

    private final CallIndex index;
    private final Calls calls;
    private final Settings settings;
    private Map<String, Seen> seen = new HashMap<>();

    LiveCalls(CallIndex index, Calls calls, Settings settings) {
        this.index = index;
        this.calls = calls;
        this.settings = settings;
    }

    /** Newest call first. */
    synchronized View now() {
        List<CallRow> open = index.open(MOST + 1);
        Map<String, Seen> now = new HashMap<>();
        List<LiveCall> views = new ArrayList<>();
        for (CallRow row : open.subList(0, Math.min(MOST, open.size()))) {
            String key = row.pbx() + " " + row.callId();
            Seen before = seen.get(key);
            Seen call = before != null && before.version == row.version() ? before : new Seen(row.version(), call(row));
            now.put(key, call);
            if (call.call != null) {
                views.add(call.call);
            }
        }
        seen = now;
        return new View(open.size() > MOST, views);
    }

    /** {@code null} if nobody rings or talks any more: only "missed?" is to be decided. */
    private LiveCall call(CallRow row) {
        if (!settings.knows(row.pbx())) {
            return null;
        }
        Calls.Stored stored = calls.one(row.pbx(), row.callId());
        if (stored == null) {
            return null;
        }
        Call call = Call.of(settings.directory(row.pbx()), settings.calls(),
                Document.of(stored.document()).events().stream().map(Event::call).toList(), List.of());
        if (call.legs().stream().allMatch(Leg::ended)) {
            return null;
        }
        return new LiveCall(row.callId(), row.pbx(), call.legs().stream().allMatch(Leg::local) ? "local" : call.outsideCaller() != null ? "in" : "out",
                row.number(), Instant.ofEpochMilli(row.firstAt()), call.legs().stream().map(leg -> LegView.of(leg, settings.calls(), Time.now())).toList());
    }
}
