package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.admin.CallIndex.Filter;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Party;
import io.callbridge.platform.Settings;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls.Place;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Calls by number, extension, user, outcome and arrival, newest first. */
@ApplicationScoped
@Named("callList")
@RegisterForReflection
public class CallList {

    private static final List<String> OUTCOMES = List.of(CallRow.OPEN, CallRow.ANSWERED, CallRow.MISSED, CallRow.UNANSWERED, CallRow.LOCAL);

    private final CallIndex index;
    private final Settings settings;
    private final ObjectMapper json;

    public CallList(CallIndex index, Settings settings, ObjectMapper json) {
        this.index = index;
        this.settings = settings;
        this.json = json;
    }

    /** @return JSON of a page; {@code next} is there if another page follows */
    public String page(@Header(Exchange.HTTP_RAW_QUERY) String query) throws JsonProcessingException {
        Parameters parameters = new Parameters(query, "number", "extension", "user", "outcome", "from", "to", "limit", "after");
        Instant from = parameters.from("from");
        Instant to = parameters.to("to");
        int limit = parameters.limit();
        Filter filter = new Filter(numbers(parameters.text("number")), parameters.text("extension"), parameters.text("user"),
                parameters.oneOf("outcome", OUTCOMES), from == null ? Long.MIN_VALUE : from.toEpochMilli(),
                to == null ? Long.MAX_VALUE : to.toEpochMilli());
        List<CallRow> found = index.newest(filter, settings.pbxs(), place(parameters.text("after")), limit + 1);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("calls", found.stream().limit(limit).map(CallList::line).toList());
        if (found.size() > limit) {
            CallRow last = found.get(limit - 1);
            answer.put("next", last.firstAt() + "~" + last.pbx() + "~" + last.callId());
        }
        return json.writeValueAsString(answer);
    }

    /** As it is written, and as each PBX would mean it. */
    private Set<String> numbers(String number) {
        if (number == null) {
            return null;
        }
        Set<String> numbers = new HashSet<>(List.of(number, number.replaceAll("[ ().-]", "")));
        for (String pbx : settings.pbxs()) {
            Directory directory = settings.directory(pbx);
            Stream.of(directory.party(number), directory.dialled(number)).map(Party::number).filter(Objects::nonNull).forEach(numbers::add);
        }
        return numbers;
    }

    private static Place place(String after) {
        if (after == null) {
            return null;
        }
        String[] parts = after.split("~", 3);
        if (parts.length < 3 || !parts[0].matches("[0-9]{1,18}")) {
            throw Parameters.invalid("after", after, "what the page before says as next");
        }
        return new Place(Long.parseLong(parts[0]), parts[1], parts[2]);
    }

    static Map<String, Object> line(CallRow call) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("callId", call.callId());
        line.put("pbx", call.pbx());
        line.put("outcome", call.outcome());
        if (call.number() != null) {
            line.put("number", call.number());
        }
        line.put("extensions", call.parties().keySet());
        line.put("users", call.parties().values().stream().filter(user -> !user.isEmpty()).distinct().toList());
        line.put("firstAt", DeliveryView.time(call.firstAt()));
        line.put("lastAt", DeliveryView.time(call.lastAt()));
        return line;
    }
}
