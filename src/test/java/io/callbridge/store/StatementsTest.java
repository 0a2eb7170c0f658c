package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Statements;
import io.callbridge.support.Statements.Run;
import io.callbridge.support.TestCall;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * A call costs the store little: what one of the simplest kind asks of it is counted, from the first event to the deletion of its pages.
 * What goes on without calls is left out, unless it finds something; what a clock does for many calls together counts once.
 */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class StatementsTest {

    private static final int MOST = 14;

    private final BridgeInJvm bridge = BridgeInJvm.started();

    @Test
    void aSimpleCallCostsFewStatements() {
        bridge.use(Map.of("callbridge.crm.active", "rest"));
        call();
        Statements.begin();
        for (int second = 0; second < 5; second++) {
            bridge.pass(Duration.ofSeconds(1));
        }
        Set<String> polls = Statements.end().stream().map(Run::text).collect(Collectors.toSet());
        Statements.begin();
        call();
        List<String> asked = new ArrayList<>();
        Set<String> swept = new HashSet<>();
        for (Run run : Statements.end()) {
            boolean clock = run.text().startsWith("delete from page");
            // A checkpoint comes twice a second, however many calls there are.
            if (run.text().startsWith("pragma")) {
                continue;
            }
            if (clock ? swept.add(run.text()) : !polls.contains(run.text()) || run.effective().get()) {
                asked.add(run.text());
            }
        }
        assertTrue(asked.size() > 5 && asked.size() <= MOST, () -> asked.size() + " statements:\n" + String.join("\n", asked));
    }

    /** Until it is at the CRM and its pages are gone. */
    private void call() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        call.answered().forEach(event -> {
            bridge.webhook().accept(List.of(event));
            bridge.pass(Duration.ofSeconds(10));
        });
        assertTrue(bridge.crm().has(Kind.CALL, call.legId()), "it is registered");
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> bridge.pages() == 0);
    }
}
