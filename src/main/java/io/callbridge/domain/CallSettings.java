package io.callbridge.domain;

import java.time.Duration;

/** The keys under {@code callbridge.calls.} (contract section 1). */
public record CallSettings(Duration missedDelay, Duration maxContainerWait, Duration settleDelay,
        boolean missedWithoutContainer, boolean suppressMissedIfAnsweredLeg, boolean missedNeedsIvrNo,
        boolean forwardedAsOutgoing, Duration maxUnanswered, Duration maxTalk, Duration cardTtl) {
}
