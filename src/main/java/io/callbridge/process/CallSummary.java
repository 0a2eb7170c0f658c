package io.callbridge.process;

import io.callbridge.domain.Call;
import io.callbridge.domain.Leg;
import io.callbridge.domain.Party;
import io.callbridge.store.CallRow;
import io.callbridge.store.Delivery;
import java.time.Instant;
import java.util.LongSummaryStatistics;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/** What a look makes of a call in one line: see {@link CallRow}. */
final class CallSummary {

    private CallSummary() {
    }

    static CallRow of(Fold fold) {
        LongSummaryStatistics arrivals = fold.arrivals();
        SortedMap<String, String> parties = new TreeMap<>();
        for (Leg leg : fold.call.legs()) {
            if (leg.extension() != null && !leg.trunk()) {
                parties.put(leg.extension().name(), Call.user(leg) == null ? "" : Call.user(leg));
            }
        }
        return new CallRow(fold.directory.pbx(), fold.call.id(), 0, arrivals.getMin(), arrivals.getMax(), outcome(fold),
                number(fold.call), parties);
    }

    private static String outcome(Fold fold) {
        Instant decideAt = fold.call.decideAt(fold.now);
        boolean talked = fold.call.legs().stream().anyMatch(leg -> !leg.local() && leg.answered());
        if (fold.call.legs().stream().anyMatch(leg -> !leg.container() && !leg.over(fold.settings, fold.now))) {
            return CallRow.OPEN;
        } else if (fold.exists(Delivery.MISSED, fold.call.id()) && fold.call.servedAt() == null) {
            return CallRow.MISSED;
        } else if (talked) {
            return CallRow.ANSWERED;
        } else if (decideAt != null && decideAt.isAfter(fold.now)) {
            return CallRow.OPEN;
        }
        return fold.call.legs().stream().allMatch(Leg::local) ? CallRow.LOCAL : CallRow.UNANSWERED;
    }

    /** The caller from outside, else whom an extension called. */
    private static String number(Call call) {
        Party caller = call.outsideCaller();
        return caller != null ? caller.number() : call.legs().stream().filter(leg -> !leg.local()).map(leg -> leg.party().number())
                .filter(Objects::nonNull).findFirst().orElse(null);
    }
}
