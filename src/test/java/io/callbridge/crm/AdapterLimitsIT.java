package io.callbridge.crm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.TestCall;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Two replicas of the packaged application and CRMs with their limits, a token that expires in the middle: both replicas share
 * the permits and the token, nothing is refused for being too much, and cards do not wait behind calls.
 */
class AdapterLimitsIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int CALLS = 30;
    private static final int REST_RATE = 4;
    /** What was on its way when the machine halted for a moment may arrive together. */
    private static final int UNDER_WAY = 2 * 4 + 1;
    private static final Duration SOON = Duration.ofSeconds(30);

    private final Bitrix24StandIn bitrix24 = new Bitrix24StandIn();
    private final AmoCrmStandIn amocrm = new AmoCrmStandIn();
    private final FakeCrm rest = new FakeCrm();

    @Test
    void limitsHoldAndTokensAreRenewedOnceForAllReplicas() {
        bitrix24.user(1001, "101", true);
        bitrix24.contact(FakeCrm.IVANOV, 1, "Ivanov", 1001);
        amocrm.user(1001);
        amocrm.contact(FakeCrm.IVANOV, 1, "Ivanov", 1001);
        try (BridgeProcess one = replica().store(StoreKind.POSTGRESQL).start(); BridgeProcess two = replica().storeOf(one).start()) {
            List<BridgeProcess> replicas = List.of(one, two);
            List<TestCall> calls = IntStream.range(0, CALLS).mapToObj(i -> TestCall.incoming("101", FakeCrm.IVANOV)).toList();
            for (int i = 0; i < CALLS; i++) {
                // Late for a card: of such a call the CRM sees its end at once, in one request.
                replicas.get(i % 2).webhook().accept(List.of(calls.get(i).hangup(), calls.get(i).answer(), calls.get(i).dialIn()));
                if (i == CALLS / 2) {
                    await("some calls").atMost(PATIENCE).until(() -> finished(calls) > 2);
                    bitrix24.expireTokens();
                }
            }
            TestCall ringing = TestCall.incoming("101", FakeCrm.IVANOV);
            long rang = System.nanoTime();
            two.webhook().accept(List.of(ringing.dialIn()));
            await("a card in front of all calls").atMost(SOON).until(() -> hasCard(bitrix24.effects(), ringing.legId())
                    && hasCard(amocrm.effects(), null) && rest.has(Kind.CARD, ringing.legId()));
            assertTrue(finished(calls) < CALLS, () -> "nothing to overtake after " + Duration.ofNanos(System.nanoTime() - rang));
            await("every call at Bitrix24").atMost(PATIENCE).until(() -> finished(calls) == CALLS);
            await("every call at the others").atMost(PATIENCE).until(() -> calls.stream()
                    .allMatch(call -> amocrm.callsOf(call.legId()).size() == 1 && rest.has(Kind.CALL, call.legId())));
        } finally {
            bitrix24.close();
            amocrm.close();
            rest.close();
        }
        assertEquals(0, bitrix24.refusedByLimit);
        assertTrue(bitrix24.highestLevel <= 50, () -> "level " + bitrix24.highestLevel);
        assertEquals(0, amocrm.limit.refused());
        assertTrue(amocrm.limit.fullest() <= 7, () -> "per second " + amocrm.limit.fullest());
        List<Long> asked = rest.requests().stream().map(CrmRequest::nanos).toList();
        for (long begin : asked) {
            long within = asked.stream().filter(at -> at >= begin && at < begin + 2_000_000_000L).count();
            assertTrue(within <= 2 * REST_RATE + UNDER_WAY, () -> within + " requests within 2 s");
        }
        // The configured one at first, and once when it had expired.
        assertEquals(2, bitrix24.refreshes);
        assertEquals(0, bitrix24.refusedRefreshes);
    }

    private BridgeProcess.Builder replica() {
        return BridgeProcess.builder().crm(rest).setting("callbridge.crm.active", "bitrix24,amocrm,rest")
                .setting("callbridge.deliver.card.lookup-timeout-ms", "1000")
                .setting("callbridge.crm.rest.rate", Integer.toString(REST_RATE)).setting("callbridge.deliver.parallel", "4")
                .setting("callbridge.crm.bitrix24.url", bitrix24.restUrl()).setting("callbridge.crm.bitrix24.oauth-url", bitrix24.origin())
                .setting("callbridge.crm.bitrix24.client-id", Bitrix24StandIn.CLIENT_ID)
                .setting("callbridge.crm.bitrix24.client-secret", Bitrix24StandIn.CLIENT_SECRET)
                .setting("callbridge.crm.bitrix24.refresh-token", bitrix24.refreshToken)
                .setting("callbridge.crm.bitrix24.users.anna", "1001").setting("callbridge.crm.amocrm.url", amocrm.origin())
                .setting("callbridge.crm.amocrm.token", AmoCrmStandIn.TOKEN).setting("callbridge.crm.amocrm.users.anna", "1001");
    }

    private long finished(List<TestCall> calls) {
        List<CrmEffect> effects = bitrix24.effects();
        return calls.stream().filter(call -> effects.stream()
                .filter(effect -> effect.kind() == CrmEffect.Kind.CALL && call.legId().equals(effect.id())).count() == 1).count();
    }

    /** Of amoCRM without an id. */
    private static boolean hasCard(List<CrmEffect> effects, String legId) {
        return effects.stream().anyMatch(effect -> effect.kind() == CrmEffect.Kind.CARD && Objects.equals(legId, effect.id()));
    }
}
