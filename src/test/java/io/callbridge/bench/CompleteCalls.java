package io.callbridge.bench;

import io.callbridge.support.TestCall;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Calls as people make them: nobody answers before the card is there, and a call is over when it is registered. */
final class CompleteCalls implements AutoCloseable {

    private static final int LONGEST_SECONDS = 60;

    private final EventRequests events;
    private final CrmStandIn crm;
    private final List<KeptConnection> connections = new ArrayList<>();

    /** @param atOnce calls at the same time, each with a connection of its own to the webhook at {@code port} */
    CompleteCalls(int port, EventRequests events, CrmStandIn crm, int atOnce) throws IOException {
        this.events = events;
        this.crm = crm;
        for (int i = 0; i < atOnce; i++) {
            connections.add(new KeptConnection(port));
        }
    }

    /** Makes so many calls. @return calls per second, from the first event sent to the last registration received */
    double run(int count) {
        List<TestCall> calls = EventRequests.calls(count);
        AtomicInteger next = new AtomicInteger();
        long begin = System.nanoTime();
        AtOnce.run(connections.stream().<Callable<Void>>map(connection -> () -> {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                TestCall call = calls.get(i);
                connection.exchange(events.of(call.dialIn()));
                crm.card(call.legId()).get(LONGEST_SECONDS, TimeUnit.SECONDS);
                connection.exchange(events.of(call.answer()));
                connection.exchange(events.of(call.hangup()));
                crm.call(call.legId()).get(LONGEST_SECONDS, TimeUnit.SECONDS);
            }
            return null;
        }).toList());
        return count * 1e9 / (System.nanoTime() - begin);
    }

    @Override
    public void close() {
        for (KeptConnection connection : connections) {
            connection.close();
        }
    }
}
