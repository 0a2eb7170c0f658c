package io.callbridge.store;

import io.agroal.api.AgroalDataSource;
import io.callbridge.platform.Outage;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StartException;
import io.callbridge.platform.StoreKind;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.agroal.DataSource.DataSourceLiteral;
import io.quarkus.flyway.FlywayDataSource.FlywayDataSourceLiteral;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jboss.logging.Logger;

/**
 * What survives. {@link #forced}: the inbox, and what must not be done twice; on the disk before anybody goes on. {@link #calls}: what
 * follows from the inbox again after a power cut, which nobody waits for. With SQLite these are two files, since they must not wait for
 * each other; with PostgreSQL two ways to commit in one database.
 */
@ApplicationScoped
public class Store {

    private static final Logger LOG = Logger.getLogger(Store.class);

    /** Order of a task that locks rows of many calls, without waiting for any: nothing is locked after them. */
    public static final String LAST = "\uffff";

    private final Function<String, DataSource> dataSources;
    private final Function<String, Flyway> schemas;
    private final Settings settings;
    private final MeterRegistry meters;
    /** A store that has not got to a write for this long is stuck. */
    private final double stuckSeconds;
    private final Outage outage = new Outage(LOG, "The store is away", "The store is back");
    private StoreKind kind;
    private volatile Database forced;
    private volatile Database calls;
    /** Of SQLite's file. */
    private FileChannel lock;

    @Inject
    public Store(@Any Instance<AgroalDataSource> dataSources, @Any Instance<Flyway> schemas, Settings settings, MeterRegistry meters) {
        this(name -> dataSources.select(new DataSourceLiteral(name)).get(),
                name -> schemas.select(FlywayDataSourceLiteral.of(name)).get(), settings, meters);
    }

    /** A store on given databases, by the names of their data sources. */
    public Store(Function<String, DataSource> dataSources, Function<String, Flyway> schemas, Settings settings, MeterRegistry meters) {
        this.dataSources = dataSources;
        this.schemas = schemas;
        this.settings = settings;
        this.meters = meters;
        // Before the patience of those who wait is over, so that who comes then need not wait at all.
        this.stuckSeconds = settings.number("store.patience-ms") * 2 / 3000.0;
    }

    /**
     * Creates or upgrades the schema and starts the writers.
     *
     * @throws StartException if the store cannot be used
     */
    public synchronized void open() {
        if (forced != null) {
            return;
        }
        String url = settings.storeUrl();
        kind = StoreKind.of(url);
        try {
            if (kind == StoreKind.SQLITE) {
                Files.createDirectories(settings.storeFile().toAbsolutePath().getParent());
                lock = locked(settings.storeFile());
            }
            for (String name : kind.schemas) {
                refuseOld(dataSources.apply(name));
                schemas.apply(name).migrate();
                Sql sql = new Sql(dataSources.apply(name)::getConnection);
                touch(sql);
                if (kind == StoreKind.SQLITE && LOG.isDebugEnabled()) {
                    String how = sql.first("pragma synchronous", row -> row.getString(1));
                    LOG.debugf("SQLite: %s has synchronous=%s (2 is FULL)", name, how);
                }
                sql.close();
            }
        } catch (IOException | SQLException | FlywayException | IllegalStateException e) {
            throw new StartException("callbridge.store.url is '" + Settings.masked(url) + "', which cannot be used: "
                    // Before a port it takes user:password@host for a host, and says that there is none of that name.
                    + Database.rootMessage(e).replace(url, Settings.masked(url)).replaceAll("\\S+@", "***@") + "; needed is "
                    + (kind == StoreKind.SQLITE ? "an SQLite file that can be written, or a folder where it can be made"
                            : "a PostgreSQL database that answers, whose user may create tables and write"), e);
        }
        calls = new Database(dataSources.apply(kind.dataSource), kind, false, outage, meters);
        forced = new Database(dataSources.apply(kind.forced), kind, true, outage, meters);
    }

    /**
     * One process works on an SQLite file, two would tell a CRM everything twice. The operating system locks a file beside it, so that
     * the lock ends with its process, however that ends, and counts in all containers that share a volume. That file says whose
     * it is; it is not the store itself, since to close that once loses the locks which SQLite has on it.
     */
    private static FileChannel locked(Path store) throws IOException {
        Path named = Files.exists(store) ? store.toRealPath() : store.toAbsolutePath();
        Path file = Path.of(named + ".lock");
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean locked;
        try {
            locked = channel.tryLock() != null;
        } catch (OverlappingFileLockException ours) {
            locked = false;
        } catch (IOException e) {
            LOG.warnf("The file system has no locks (%s): see to it that no other process works on the same SQLite file", e.getMessage());
            locked = true;
        }
        if (!locked) {
            channel.close();
            // It may be about to write that.
            String holder = Files.readString(file).strip();
            throw new StartException("callbridge.store.url names " + named + ", and process " + (holder.isEmpty() ? "unknown" : holder)
                    + " works with that file; allowed: one process for each SQLite file, or a PostgreSQL database for several");
        }
        String host = System.getenv().getOrDefault("HOSTNAME", "");
        channel.truncate(0);
        channel.write(ByteBuffer.wrap((ProcessHandle.current().pid() + (host.isEmpty() ? "" : " on " + host)).getBytes(StandardCharsets.UTF_8)), 0);
        return channel;
    }

    /** One of before the first release, which had a table of events: nothing of it is taken over. */
    private static void refuseOld(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                ResultSet tables = connection.getMetaData().getTables(null, connection.getSchema(), "event", null)) {
            if (tables.next()) {
                throw new SQLException("it was made by a version before the first release, whose stores are not taken over;"
                        + " name another one, or delete it");
            }
        }
    }

    /** Writes next to nothing, in line with all other writes; fails if the store takes none. */
    public CompletableFuture<Void> probe() {
        return writeAtOnce("", Store::touch);
    }

    static Void touch(Sql sql) throws SQLException {
        sql.update("update probe set at = ?", Time.millis());
        return null;
    }

    @PreDestroy
    public void close() throws InterruptedException {
        if (forced != null) {
            calls.close();
            forced.close();
        }
        try (FileChannel ends = lock) {
            lock = null;
        } catch (IOException e) {
            LOG.debugf("The lock ends with the process: %s", e.getMessage());
        }
    }

    /** Whether it is away at the moment, and since when. */
    public Outage outage() {
        return outage;
    }

    public StoreKind kind() {
        return kind;
    }

    /** What is on the disk when a write is done. */
    public Database forced() {
        return opened(forced);
    }

    /** What follows from that. */
    public Database calls() {
        return opened(calls);
    }

    private static Database opened(Database database) {
        if (database == null) {
            throw new StoreException("the store is not open", null);
        }
        return database;
    }

    /** A write for somebody who waits for it, forced; refused at once while the store is stuck. */
    public <T> CompletableFuture<T> writeAtOnce(String order, Database.Work<T> work) {
        if (forced == null) {
            return CompletableFuture.failedFuture(new StoreException("the store is not open", null));
        } else if (forced.stuckSeconds() > stuckSeconds) {
            forced.away("a write waits for it for too long");
            return CompletableFuture.failedFuture(new StoreException("the store is stuck", null));
        }
        return forced.write(order, work);
    }

    /** Writes that wait. */
    public int waiting() {
        return forced().waiting() + calls.waiting();
    }

    /** How long what somebody waits for has waited for the store; 0: nothing does. */
    public double stuckSeconds() {
        return forced().stuckSeconds();
    }
}
