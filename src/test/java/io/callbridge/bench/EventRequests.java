package io.callbridge.bench;

import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Events of calls as requests, ready to be sent: what the load generator does not do while it is measured. */
record EventRequests(String path) {

    /** Calls that ring at the same time: of so many all dial-ins go out, then all answers, then all hangups. */
    private static final int AT_ONCE = 100;
    private static final List<String> EXTENSIONS = List.of("101", "102", "103", "104", "105", "111");
    private static final AtomicInteger CALLERS = new AtomicInteger();

    /** Calls to the mapped phones, of a caller each that the bridge has not seen before. */
    static List<TestCall> calls(int count) {
        return Stream.generate(() -> {
            int caller = CALLERS.getAndIncrement();
            return TestCall.incoming(EXTENSIONS.get(caller % EXTENSIONS.size()), String.format("+7900%07d", caller));
        }).limit(count).toList();
    }

    byte[] of(Map<String, String> event) {
        return LoadClient.request("POST", path, "application/x-www-form-urlencoded", Webhook.form(event));
    }

    /** The three events of each answered call, in an order in which they could come. */
    List<byte[]> answered(List<TestCall> calls) {
        List<byte[]> requests = new ArrayList<>(3 * calls.size());
        for (int from = 0; from < calls.size(); from += AT_ONCE) {
            List<TestCall> ringing = calls.subList(from, Math.min(calls.size(), from + AT_ONCE));
            requests.addAll(dialIns(ringing));
            ringing.forEach(call -> requests.add(of(call.answer())));
            ringing.forEach(call -> requests.add(of(call.hangup())));
        }
        return requests;
    }

    List<byte[]> dialIns(List<TestCall> calls) {
        return calls.stream().map(call -> of(call.dialIn())).toList();
    }
}
