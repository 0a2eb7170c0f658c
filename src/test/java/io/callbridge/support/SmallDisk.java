package io.callbridge.support;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A disk that can be full. Where nothing may be mounted, the process that uses it is forbidden to make files longer instead:
 * its writes fail too, if with another error.
 */
public final class SmallDisk implements AutoCloseable {

    private static final String SIZE = "16m";

    private final Path folder = Unchecked.get(() -> Files.createTempDirectory("callbridge-disk-"));
    private final boolean mounted;

    public SmallDisk() {
        mounted = !Boolean.getBoolean("callbridge.test.nomount")
                && succeeds("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tmpfs", folder.toString());
        System.out.println(mounted ? "a disk of " + SIZE + " in " + folder : "no disk can be mounted: the length of files is limited");
    }

    public Path folder() {
        return folder;
    }

    public void fill(BridgeProcess user) {
        if (!mounted) {
            must("prlimit", "--pid", Long.toString(user.pid()), "--fsize=1:");
            return;
        }
        try (OutputStream ballast = Files.newOutputStream(ballast())) {
            while (true) {
                ballast.write(new byte[4096]);
            }
        } catch (IOException full) {
            return;
        }
    }

    public void free(BridgeProcess user) {
        if (mounted) {
            Unchecked.run(() -> Files.delete(ballast()));
        } else {
            must("prlimit", "--pid", Long.toString(user.pid()), "--fsize=unlimited:");
        }
    }

    @Override
    public void close() {
        if (mounted) {
            must("umount", folder.toString());
        }
        Unchecked.delete(folder);
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
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
                    .onExit().join().exitValue() == 0;
        } catch (IOException noSuchCommand) {
            return false;
        }
    }
}
