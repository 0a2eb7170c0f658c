package io.callbridge.process;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A thread that evaluates calls, and those of them that it has in memory while something happens to them: a tenth of the heap over all lanes. */
final class CallLane {

    /** One per core. */
    static final int COUNT = Math.max(2, Runtime.getRuntime().availableProcessors());

    /** A call of a PBX, by the id that it has here. */
    record Key(String pbx, String callId) {
    }

    final ThreadPoolExecutor thread;
    private final long most = Runtime.getRuntime().maxMemory() / 10 / COUNT;
    private final LinkedHashMap<Key, OpenCall> open = new LinkedHashMap<>(64, 0.75f, true);
    private long weight;

    CallLane(String name) {
        // When Callbridge stops, what comes stays in the inbox.
        thread = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> new Thread(task, name),
                new ThreadPoolExecutor.DiscardPolicy());
    }

    /** It is taken out for an evaluation: one that fails has changed it. */
    synchronized OpenCall out(Key key) {
        OpenCall call = open.remove(key);
        weight -= call == null ? 0 : call.charged;
        return call;
    }

    /** What is over goes, what comes all the same finds it in the store; if there is no room for all, what nothing happened to for longest. */
    synchronized void in(Key key, OpenCall call) {
        if (call.over()) {
            return;
        }
        call.charged = call.weight();
        weight += call.charged;
        open.put(key, call);
        for (Iterator<OpenCall> eldest = open.values().iterator(); weight > most && open.size() > 1;) {
            weight -= eldest.next().charged;
            eldest.remove();
        }
    }

    synchronized boolean has(Key key) {
        return open.containsKey(key);
    }

    synchronized void forget() {
        open.clear();
        weight = 0;
    }
}
