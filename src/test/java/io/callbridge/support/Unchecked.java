package io.callbridge.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.Callable;

/** A checked exception of something that a test does is a failure of the test: nobody between has to do with it. */
public final class Unchecked {

    /** What may fail and has no result. */
    public interface Step {

        void run() throws Exception;
    }

    private Unchecked() {
    }

    public static <T> T get(Callable<T> work) {
        try {
            return work.call();
        } catch (RuntimeException e) {
            throw e;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    public static void run(Step step) {
        get(() -> {
            step.run();
            return null;
        });
    }

    /** A folder with all that is in it. */
    static void delete(Path folder) {
        Pages.below(folder).sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
}
