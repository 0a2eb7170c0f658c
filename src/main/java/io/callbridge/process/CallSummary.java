package io.callbridge.process;

import io.callbridge.domain.Call;
import io.callbridge.domain.Leg;
import io.callbridge.domain.Party;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls.Part;
import io.callbridge.store.Calls;
import io.callbridge.store.Delivery;
import java.time.Instant;
import java.util.HashSet;
import java.util.LongSummaryStatistics;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** What an evaluation makes of a call in one line: see {@link CallRow}. */
final class CallSummary {

    private CallSummary() {
    }

    static CallRow of(Evaluation evaluation) {
        LongSummaryStatistics arrivals = evaluation.open.document.events().stream().mapToLong(event -> event.call().arrivedAt().toEpochMilli())
                .summaryStatistics();
        SortedMap<String, String> parties = new TreeMap<>();
        for (Leg leg : evaluation.call.legs()) {
            if (leg.extension() != null && !leg.trunk()) {
                parties.put(leg.extension().name(), Call.user(leg) == null ? "" : Call.user(leg));
            }
        }
        CallRow before = evaluation.open.row;
        return new CallRow(evaluation.open.pbx, evaluation.open.callId, before == null ? 1 : before.version() + 1, arrivals.getMin(), arrivals.getMax(),
                evaluation.open.document.timers().values().stream().min(Long::compare).orElse(null), outcome(evaluation),
                (int) evaluation.call.legs().stream().filter(leg -> !leg.ended()).count(), number(evaluation.call), parties);
    }

    /** What the call is found by. */
    static Set<Part> parts(Evaluation evaluation) {
        Set<Part> parts = new HashSet<>();
        for (Leg leg : evaluation.call.legs()) {
            parts.add(new Part(Calls.LEG, leg.id()));
            if (leg.callBackId() != null) {
                parts.add(new Part(Calls.CALLBACK, leg.callBackId()));
            }
            if (leg.extension() != null && !leg.trunk()) {
                String user = Call.user(leg);
                parts.add(new Part(Calls.EXTENSION, leg.extension().name()));
                parts.add(user == null ? new Part(Calls.UNMAPPED, leg.extension().name()) : new Part(Calls.USER, user));
            }
        }
        return parts;
    }

    private static String outcome(Evaluation evaluation) {
        Instant decideAt = evaluation.call.decideAt(evaluation.now);
        boolean talked = evaluation.call.legs().stream().anyMatch(leg -> !leg.local() && leg.answered());
        if (evaluation.call.legs().stream().anyMatch(leg -> !leg.container() && !leg.over(evaluation.settings, evaluation.now))) {
            return CallRow.OPEN;
        } else if (evaluation.exists(Delivery.MISSED, evaluation.call.id()) && evaluation.call.servedAt() == null) {
            return CallRow.MISSED;
        } else if (talked) {
            return CallRow.ANSWERED;
        } else if (decideAt != null && decideAt.isAfter(evaluation.now) && !evaluation.notMissed()) {
            return CallRow.OPEN;
        }
        return evaluation.call.legs().stream().allMatch(Leg::local) ? CallRow.LOCAL : CallRow.UNANSWERED;
    }

    /** The caller from outside, else whom an extension called. */
    private static String number(Call call) {
        Party caller = call.outsideCaller();
        return caller != null ? caller.number() : call.legs().stream().filter(leg -> !leg.local()).map(leg -> leg.party().number())
                .filter(Objects::nonNull).findFirst().orElse(null);
    }
}
