package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

/** One process for a whole class, and its CRM that fails; every test has callers and calls of its own. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FailingCrm {

    private static final Duration SOON = Duration.ofSeconds(60);

    final FakeCrm crm = new FakeCrm();
    private final AtomicInteger callers = new AtomicInteger();
    BridgeProcess bridge;

    void start(BridgeProcess.Builder builder) {
        bridge = builder.crm(crm).quickRetries().start();
    }

    @AfterAll
    void close() {
        if (bridge != null) {
            bridge.close();
        }
        crm.close();
    }

    /** A call with a number that was not looked up before. */
    TestCall incoming(String extension) {
        return TestCall.incoming(extension, "+790000" + (20_000 + callers.incrementAndGet()));
    }

    List<TestCall> calls(int number) {
        return IntStream.range(0, number).mapToObj(i -> incoming("10" + (1 + i % 3))).toList();
    }

    void all(Answer answer) {
        Stream.of("GET", "PUT", "DELETE").forEach(method -> crm.on(method, ".*", answer));
    }

    JsonNode status() {
        return json("/api/status").path("crms").get(0);
    }

    /** Of failures that it saw, or of answers. */
    void awaitState(String state) {
        awaitThat("the state " + state, () -> state.equals(status().path("state").asText()));
    }

    void awaitRegistration(TestCall call) {
        awaitThat("the registration of " + call, () -> crm.has(Kind.CALL, call.legId()));
    }

    /** Each delivery of a call with its state. */
    List<String> deliveries(TestCall call) {
        return StreamSupport.stream(bridge.call(call.callId()).path("deliveries").spliterator(), false)
                .map(each -> each.path("operation").asText() + " " + each.path("state").asText()).toList();
    }

    /** The tries of a registration. */
    JsonNode attempts(TestCall call) {
        JsonNode delivery = bridge.delivery(call.callId(), call.legId());
        return (delivery == null ? new ObjectMapper().createObjectNode() : delivery).path("attempts");
    }

    JsonNode json(String path) {
        try {
            return new ObjectMapper().readTree(bridge.get(path).body());
        } catch (JsonProcessingException e) {
            throw new AssertionError(path, e);
        }
    }

    void assertSameBodies(List<CrmRequest> requests) {
        requests.forEach(request -> assertEquals(requests.get(0).body(), request.body(), "a repeat is the same request"));
    }

    void assertContract(List<CrmRequest> requests) {
        List<String> deviations = new RestContract(crm, false).deviations(requests);
        assertTrue(deviations.isEmpty(), () -> String.join("\n", deviations) + bridge.tail());
    }

    void awaitThat(String what, Callable<Boolean> condition) {
        try {
            await(what).atMost(SOON).pollInterval(Duration.ofMillis(25)).until(condition);
        } catch (ConditionTimeoutException e) {
            List<CrmRequest> received = crm.requests();
            throw new AssertionError("did not happen: " + what + "\n--- received last ---\n"
                    + received.subList(Math.max(0, received.size() - 30), received.size()) + bridge.tail(), e);
        }
    }
}
