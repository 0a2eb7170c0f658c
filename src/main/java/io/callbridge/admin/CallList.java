package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.callbridge.admin.CallIndex.Filter;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Party;
import io.callbridge.platform.Settings;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls.Place;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/** Calls by number, extension, user, outcome and arrival, newest first. */
@ApplicationScoped
class CallList {

    private static final List<String> OUTCOMES = List.of(CallRow.OPEN, CallRow.ANSWERED, CallRow.MISSED, CallRow.UNANSWERED, CallRow.LOCAL);

    private final CallIndex index;
    private final Settings settings;

    CallList(CallIndex index, Settings settings) {
        this.index = index;
        this.settings = settings;
    }

    /** @param next another page follows */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Page(List<Line> calls, String next) {
    }

    /** A call in one line; all but the ids are missing while nobody has evaluated it. */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Line(String callId, String pbx, String outcome, String number, Collection<String> extensions, List<String> users, Instant firstAt,
            Instant lastAt) {

        static Line of(CallRow call) {
            return new Line(call.callId(), call.pbx(), call.outcome(), call.number(), call.parties().keySet(),
                    call.parties().values().stream().filter(user -> !user.isEmpty()).distinct().toList(), Instant.ofEpochMilli(call.firstAt()),
                    Instant.ofEpochMilli(call.lastAt()));
        }
    }

    Page page(AdminRequest request) {
        request.takes("number", "extension", "user", "outcome", "from", "to", "limit", "after");
        Instant from = request.from("from");
        Instant to = request.to("to");
        int limit = request.limit();
        Filter filter = new Filter(numbers(request.text("number")), request.text("extension"), request.text("user"),
                request.oneOf("outcome", OUTCOMES), from == null ? Long.MIN_VALUE : from.toEpochMilli(),
                to == null ? Long.MAX_VALUE : to.toEpochMilli());
        List<CallRow> found = index.newest(filter, settings.pbxs(), place(request.text("after")), limit + 1);
        CallRow last = found.size() > limit ? found.get(limit - 1) : null;
        return new Page(found.stream().limit(limit).map(Line::of).toList(),
                last == null ? null : last.firstAt() + "~" + last.pbx() + "~" + last.callId());
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
            throw AdminRequest.invalid("after", after, "what the page before says as next");
        }
        return new Place(Long.parseLong(parts[0]), parts[1], parts[2]);
    }
}
