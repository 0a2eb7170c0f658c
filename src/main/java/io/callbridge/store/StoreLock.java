package io.callbridge.store;

import io.callbridge.platform.StartException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jboss.logging.Logger;

/**
 * One process works on an SQLite file, two would tell a CRM everything twice. The operating system locks a file beside it, so that
 * the lock ends with its process, however that ends, and counts in all containers that share a volume. That file says whose
 * it is; it is not the store itself, since to close that once loses the locks which SQLite has on it.
 */
final class StoreLock implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(StoreLock.class);

    private final FileChannel channel;

    /** @throws StartException if another process has it */
    StoreLock(Path store) throws IOException {
        Path named = Files.exists(store) ? store.toRealPath() : store.toAbsolutePath();
        channel = FileChannel.open(Path.of(named + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (!locked()) {
            String holder = holder();
            channel.close();
            throw new StartException("callbridge.store.url names " + named + ", and process " + holder + " works with that file;"
                    + " allowed: one process for each SQLite file, or a PostgreSQL database for several");
        }
        String host = System.getenv().getOrDefault("HOSTNAME", "");
        channel.truncate(0);
        channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + (host.isEmpty() ? "" : " on " + host)).getBytes(StandardCharsets.UTF_8)), 0);
    }

    private boolean locked() {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException ours) {
            return false;
        } catch (IOException e) {
            LOG.warnf("The file system has no locks (%s): see to it that no other process works on the same SQLite file", e.getMessage());
            return true;
        }
    }

    /** Process id and host, as it wrote them; it may be about to. */
    private String holder() throws IOException {
        ByteBuffer text = ByteBuffer.allocate(300);
        channel.read(text, 0);
        String holder = new String(text.array(), 0, text.position(), StandardCharsets.UTF_8).strip();
        return holder.isEmpty() ? "unknown" : holder;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debugf("The lock ends with the process: %s", e.getMessage());
        }
    }
}
