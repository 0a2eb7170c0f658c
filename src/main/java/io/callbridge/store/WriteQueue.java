package io.callbridge.store;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** What waits for a writer: work that somebody waits for before all other, which goes on beside it in small numbers. */
final class WriteQueue<T> {

    private static final int LONGEST = 20_000;
    private static final int BATCH = 512;
    /** So much other work may delay the commit of what somebody waits for. */
    private static final int BESIDE = 8;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition something = lock.newCondition();
    private final Deque<T> urgent = new ArrayDeque<>();
    private final Deque<T> other = new ArrayDeque<>();

    /** @return {@code false}: the queue is full */
    boolean offer(T task, boolean isUrgent) {
        lock.lock();
        try {
            Queue<T> queue = isUrgent ? urgent : other;
            if (queue.size() >= LONGEST) {
                return false;
            }
            queue.add(task);
            something.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Takes what shares the next transaction: nothing if nothing comes for a while. */
    void take(List<T> batch) throws InterruptedException {
        lock.lock();
        try {
            if (urgent.isEmpty() && other.isEmpty()) {
                something.await(200, TimeUnit.MILLISECONDS);
            }
            move(urgent, BATCH, batch);
            move(other, batch.isEmpty() ? BATCH : BESIDE, batch);
        } finally {
            lock.unlock();
        }
    }

    /** Takes all that is left. */
    void drain(List<T> left) {
        lock.lock();
        try {
            move(urgent, LONGEST, left);
            move(other, LONGEST, left);
        } finally {
            lock.unlock();
        }
    }

    /** What somebody has waited for longest, or {@code null}. */
    T oldestUrgent() {
        lock.lock();
        try {
            return urgent.peek();
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return urgent.size() + other.size();
        } finally {
            lock.unlock();
        }
    }

    private static <T> void move(Queue<T> from, int most, List<T> to) {
        for (int i = 0; i < most && !from.isEmpty(); i++) {
            to.add(from.remove());
        }
    }
}
