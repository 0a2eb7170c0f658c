package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.ExamplePbx;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Statements.Run;
import io.callbridge.support.Statements;
import io.callbridge.support.TestCall;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * A call costs the store little: what one of the simplest kind asks of it is counted, from the first event to the deletion of its pages.
 * What goes on without calls is left out, unless it finds something; what a clock does for many calls together counts once.
 */
@QuarkusTest
@TestMethodOrder(OrderAnnotation.class)
@TestProfile(BridgeInJvm.Profile.class)
class StatementsTest {

    /** What comes however many calls there are: checkpoints, retention, leases, and what Asterisks of other tests ask for. */
    private static final Pattern OTHERS = Pattern.compile("pragma|select first_at, pbx, call_id|insert into memory"
            + "|select seq, events from page order by seq limit|select .* from call where outcome = 'open'");
    private static final int ROUNDS = 24;
    private static final int PHONES = 8;

    int most = 14;
    private final BridgeInJvm bridge = BridgeInJvm.started();

    @Test
    @Order(1)
    void aSimpleCallCostsFewStatements() {
        bridge.use(Map.of("callbridge.crm.active", "rest"));
        call();
        Statements.begin();
        // What comes by itself comes by the real clock, too.
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
            bridge.pass(Duration.ofSeconds(1));
            return texts().stream().filter(text -> text.startsWith("select 1 from delivery")).count() == 2;
        });
        Set<String> polls = texts();
        Statements.begin();
        call();
        List<String> asked = new ArrayList<>();
        Set<String> swept = new HashSet<>();
        for (Run run : Statements.soFar()) {
            boolean clock = run.text().matches("(delete from|update) (page|alive).*");
            if (OTHERS.matcher(run.text()).lookingAt()) {
                continue;
            }
            if (clock ? swept.add(run.text()) : !polls.contains(run.text()) || run.effective().get()) {
                asked.add(run.text());
            }
        }
        assertTrue(asked.size() > 5 && asked.size() <= most, () -> asked.size() + " statements:\n" + String.join("\n", asked));
    }

    /** Fifty phones ring by turns, eight at a time, 384 events: what they cost at the end is compared with what they cost at first. */
    @Test
    @Order(2)
    void aQueueThatRingsForLongCostsNoMoreAtItsEnd() {
        Map<String, String> settings = new HashMap<>(Map.of("callbridge.crm.active", "rest"));
        for (int extension = 201; extension <= 250; extension++) {
            settings.put("callbridge.pbx.main.extensions." + extension + ".user", "user" + extension);
            settings.put("callbridge.pbx.main.extensions." + extension + ".id", ExamplePbx.idOf("" + extension));
        }
        bridge.use(settings);
        TestCall first = TestCall.incoming("200", TestCall.newNumber());
        List<Long> nanos = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            List<TestCall> rings = new ArrayList<>();
            for (int phone = 0; phone < PHONES; phone++) {
                rings.add(first.alsoRinging("" + (201 + (round * PHONES + phone) % 50)));
            }
            long begin = System.nanoTime();
            bridge.webhook().accept(rings.stream().map(TestCall::dialIn).toList());
            bridge.pass(Duration.ofSeconds(15));
            bridge.webhook().accept(rings.stream().map(TestCall::givenUp).toList());
            bridge.pass(Duration.ofMillis(1));
            nanos.add(System.nanoTime() - begin);
        }
        assertTrue(median(nanos.subList(ROUNDS - 8, ROUNDS)) <= 3 * median(nanos.subList(0, 8)), nanos::toString);
        assertTrue(bridge.documentSize(first.callId()) <= 300_000, () -> bridge.documentSize(first.callId()) + " bytes");
    }

    private static Set<String> texts() {
        return Statements.soFar().stream().map(Run::text).collect(Collectors.toSet());
    }

    private static long median(List<Long> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    /** Until it is at the CRM and its pages are gone. */
    private void call() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        call.answered().forEach(event -> {
            bridge.webhook().accept(List.of(event));
            bridge.pass(Duration.ofSeconds(10));
        });
        // The first try of all may fail on a busy machine.
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
            bridge.pass(Duration.ofSeconds(1));
            return bridge.crm().has(Kind.CALL, call.legId()) && bridge.pages() == 0;
        });
    }
}
