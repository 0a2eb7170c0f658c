package io.callbridge.support;

import io.callbridge.platform.StoreKind;
import io.callbridge.store.Store;
import io.micrometer.core.instrument.Metrics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.postgresql.ds.PGSimpleDataSource;
import org.sqlite.SQLiteDataSource;

/** The store without the rest of the application. */
public final class TestStore {

    private static final Logger FLYWAY = Logger.getLogger("org.flywaydb");

    static {
        FLYWAY.setLevel(Level.WARNING);
    }

    private TestStore() {
    }

    public static Store of(String url) {
        StoreKind kind = StoreKind.of(url);
        Map<String, DataSource> dataSources = new HashMap<>();
        // Of an address that is refused there is none.
        for (String name : kind == null ? List.<String>of() : kind.schemas) {
            dataSources.put(name, kind.shared() ? postgresql(url) : sqlite(name.equals(kind.forced) ? kind.forcedUrl(url) : url));
        }
        return of(url, dataSources);
    }

    /** @param dataSources by their names in the configuration */
    public static Store of(String url, Map<String, DataSource> dataSources) {
        return new Store(dataSources::get, name -> schema(name, dataSources.get(name)),
                TestConfig.settings(TestConfig.of(Map.of("callbridge.store.url", url), Map.of())), Metrics.globalRegistry);
    }

    /** As it is packaged. */
    public static Flyway schema(String name, DataSource dataSource) {
        Properties packaged = TestConfig.packaged();
        String words = "quarkus.flyway." + name + ".placeholders.";
        return Flyway.configure().dataSource(dataSource).locations(packaged.getProperty("quarkus.flyway." + name + ".locations").split(","))
                .placeholders(packaged.stringPropertyNames().stream().filter(key -> key.startsWith(words))
                        .collect(Collectors.toMap(key -> key.substring(words.length()), packaged::getProperty))).load();
    }

    private static DataSource sqlite(String url) {
        SQLiteDataSource dataSource = new SQLiteDataSource();
        dataSource.setSynchronous("OFF");
        dataSource.setJournalMode("WAL");
        dataSource.setUrl(url);
        return dataSource;
    }

    private static DataSource postgresql(String url) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url);
        return dataSource;
    }
}
