package io.callbridge.bench;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Work that is done at the same time, a thread each. */
final class AtOnce {

    private static final int LONGEST_SECONDS = 120;

    private AtOnce() {
    }

    /**
     * Returns when all is done.
     *
     * @throws AssertionError if a piece of work fails, or is not done after 120 s
     */
    static void run(List<Callable<Void>> work) {
        ExecutorService threads = Executors.newFixedThreadPool(work.size());
        try {
            for (Future<Void> done : threads.invokeAll(work, LONGEST_SECONDS, TimeUnit.SECONDS)) {
                done.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause().toString(), e.getCause());
        } catch (CancellationException e) {
            throw new AssertionError("not through after " + LONGEST_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            threads.shutdownNow();
        }
    }
}
