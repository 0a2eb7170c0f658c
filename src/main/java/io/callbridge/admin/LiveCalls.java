package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.domain.Call;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The calls in progress at all replicas, as the store knows them. Of a call that has not changed nothing is read again. */
@ApplicationScoped
class LiveCalls {

    /** More than a person can follow. */
    private static final int MOST = 100;

    private record Seen(long version, Map<String, Object> view) {
    }

    private final CallIndex index;
    private final Calls calls;
    private final Settings settings;
    private final ObjectMapper json;
    private Map<String, Seen> seen = new HashMap<>();

    LiveCalls(CallIndex index, Calls calls, Settings settings, ObjectMapper json) {
        this.index = index;
        this.calls = calls;
        this.settings = settings;
        this.json = json;
    }

    /** @return JSON, newest call first */
    synchronized String now() throws JsonProcessingException {
        List<CallRow> open = index.open(MOST + 1);
        Map<String, Seen> now = new HashMap<>();
        List<Object> views = new ArrayList<>();
        for (CallRow row : open.subList(0, Math.min(MOST, open.size()))) {
            String key = row.pbx() + " " + row.callId();
            Seen before = seen.get(key);
            Seen call = before != null && before.version == row.version() ? before : new Seen(row.version(), view(row));
            now.put(key, call);
            if (call.view != null) {
                views.add(call.view);
            }
        }
        seen = now;
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("more", open.size() > MOST);
        answer.put("calls", views);
        return json.writeValueAsString(answer);
    }

    /** {@code null} if nobody rings or talks any more: only "missed?" is to be decided. */
    private Map<String, Object> view(CallRow row) {
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
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("callId", row.callId());
        view.put("pbx", row.pbx());
        view.put("direction", call.legs().stream().allMatch(Leg::local) ? "local" : call.outsideCaller() != null ? "in" : "out");
        if (row.number() != null) {
            view.put("number", row.number());
        }
        view.put("firstAt", DeliveryView.time(row.firstAt()));
        view.put("legs", call.legs().stream().map(leg -> LegView.of(leg, settings.calls(), Time.now())).toList());
        return view;
    }
}
