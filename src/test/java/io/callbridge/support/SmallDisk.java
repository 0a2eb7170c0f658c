package io.callbridge.support;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A disk that can be full. Where nothing may be mounted, the process that uses it is forbidden to make files longer instead:
 * its writes fail too, if with another error.
 */
public final class SmallDisk implements AutoCloseable {

    private static final String SIZE = "16m";
    private static final int BLOCK = 4096;

    private final Path folder;
    private final boolean mounted;

    public SmallDisk() {
        try {
            folder = Files.createTempDirectory("callbridge-disk-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        mounted = !Boolean.getBoolean("callbridge.test.nomount") && succeeds("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tmpfs", folder.toString());
        System.out.println(mounted ? "a disk of " + SIZE + " in " + folder : "no disk can be mounted: the length of files is limited");
    }

    public Path folder() {
        return folder;
    }

    /** From now on nothing can be written. */
    public void fill(BridgeProcess user) {
        if (!mounted) {
            must("prlimit", "--pid", Long.toString(user.pid()), "--fsize=1:");
            return;
        }
        try (OutputStream ballast = Files.newOutputStream(ballast())) {
            byte[] block = new byte[BLOCK];
            await("a full disk").atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(1)).until(() -> {
                for (int i = 0; i < 1000; i++) {
                    try {
                        ballast.write(block);
                    } catch (IOException full) {
                        return true;
                    }
                }
                return false;
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** There is room again. */
    public void free(BridgeProcess user) {
        if (!mounted) {
            must("prlimit", "--pid", Long.toString(user.pid()), "--fsize=unlimited:");
            return;
        }
        try {
            Files.delete(ballast());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (mounted) {
            must("umount", folder.toString());
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path ballast() {
        return folder.resolve("ballast");
    }

    private static void must(String... command) {
        if (!succeeds(command)) {
            throw new IllegalStateException("failed: " + String.join(" ", command));
        }
    }

    private static boolean succeeds(String... command) {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException noSuchCommand) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
