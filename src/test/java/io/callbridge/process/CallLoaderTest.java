package io.callbridge.process;

import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.dialOut;
import static io.callbridge.domain.TestEvent.hangup;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.domain.CallEvent;
import io.callbridge.domain.TestEvent;
import io.callbridge.store.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every look leaves the timers right, the one that brought it among them: one that stayed would bring it at every poll. */
class CallLoaderTest {

    private static final String CALLER = "+79000000010";
    private final Instant now = Instant.now();

    @Test
    void aLegThatTurnedOutToBeAContainerLosesItsTimer() {
        Fold fold = look("71140-1", dialIn("140").from(CALLER).at(now.minusSeconds(20)),
                hangup("140").from(CALLER).bridged(false).at(now));
        assertEquals(List.of(none("71140-1"), new Timer("main", "call", Timer.MISSED, now.plusSeconds(5))), fold.timers);
    }

    @Test
    void aLegThatNobodyKnowsLosesItsTimer() {
        assertEquals(List.of(none("71102-1")), look("71102-1", dialIn("101").from(CALLER).at(now)).timers);
    }

    @Test
    void aRingingLegHasATimerForItsLimit() {
        assertEquals(List.of(new Timer("main", "call", "71101-1", now.plus(Duration.ofMinutes(15)))),
                look("71101-1", dialIn("101").from(CALLER).at(now)).timers);
    }

    @Test
    void aTimerOfTheWholeCallIsDoneWhenItIsDue() {
        assertEquals(List.of(none(Timer.MISSED)), look(Timer.MISSED, hangup("880").from(CALLER).bridged(false)
                .at(now.minusSeconds(5))).timers);
    }

    /** A look takes along what waited: its other leg must not bring back the timer that the whole call is done with. */
    @Test
    void aTimerOfTheWholeCallIsDoneAlsoWhenALegIsLookedAtToo() {
        Fold fold = Folds.of(List.of(Timer.MISSED, "71101-1"), List.of(), hangup("880").from(CALLER).bridged(false).at(now.minusSeconds(5)),
                dialIn("101").from(CALLER).at(now));
        CallLoader.setTimers(fold, "main", "call");
        assertEquals(List.of(new Timer("main", "call", "71101-1", now.plus(Duration.ofMinutes(15))), none(Timer.MISSED)), fold.timers);
    }

    /** Else the IVR of a call of last week would keep today's from being registered (R44). */
    @Test
    void aCallBackIdThatIsUsedAgainIsAnotherCalls() {
        CallEvent begin = dialOut("101").to(CALLER).callBack("cb").at(now.minusSeconds(7200)).build();
        CallEvent end = hangup("101").to(CALLER).callBack("cb").at(now).build();
        CallEvent behind = hangup("140").from(CALLER).callBack("cb").bridged(true).at(now.plusSeconds(10)).build();
        CallEvent lastWeek = hangup("140").from(CALLER).callBack("cb").bridged(true).at(now.minus(Duration.ofDays(7))).build();
        assertEquals(List.of(behind), CallLoader.atThatTime(List.of(begin, end), List.of(lastWeek, behind)));
    }

    private static Timer none(String subject) {
        return new Timer("main", "call", subject, null);
    }

    private static Fold look(String subject, TestEvent... events) {
        Fold fold = Folds.of(subject, List.of(), events);
        CallLoader.setTimers(fold, "main", "call");
        return fold;
    }
}
