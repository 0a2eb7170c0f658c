package io.callbridge.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/**
 * Copies SQLite's write-ahead log into the database beside the writer, which else does it within a commit and lets every
 * sender wait for it, 20 ms and more. The writer's own limit, SQLite's of 4 MiB, stays for a log that grows faster: one that
 * is as large as the disk could neither grow nor be copied, and the store would be stuck for good.
 */
final class Checkpoints {

    private static final Logger LOG = Logger.getLogger(Checkpoints.class);
    private static final long PERIOD_MS = 250;

    private final DataSource dataSource;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "store-checkpoints");
        thread.setDaemon(true);
        return thread;
    });

    Checkpoints(DataSource dataSource) {
        this.dataSource = dataSource;
        clock.scheduleWithFixedDelay(this::checkpoint, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
    }

    private void checkpoint() {
        try (Connection connection = dataSource.getConnection(); Statement statement = connection.createStatement()) {
            statement.execute("pragma wal_checkpoint(passive)");
        } catch (SQLException | RuntimeException e) {
            // Nothing is lost: the log keeps what was committed, and the writer copies it too.
            LOG.debugf("No checkpoint: %s", e.getMessage());
        }
    }

    void close() {
        clock.shutdown();
    }
}
