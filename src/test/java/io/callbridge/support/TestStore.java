package io.callbridge.support;

import io.callbridge.store.Store;
import io.callbridge.store.StoreKind;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
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
        boolean shared = url.startsWith(StoreKind.POSTGRESQL.prefix);
        DataSource dataSource = shared ? postgresql(url) : sqlite(url);
        return new Store(dataSource, Flyway.configure().dataSource(dataSource)
                .locations("db/" + (shared ? StoreKind.POSTGRESQL : StoreKind.SQLITE).dataSource).load(),
                TestConfig.settings(TestConfig.of(Map.of("callbridge.store.url", url), Map.of())));
    }

    private static DataSource sqlite(String url) {
        SQLiteDataSource dataSource = new SQLiteDataSource();
        dataSource.setSynchronous("OFF");
        dataSource.setUrl(url);
        return dataSource;
    }

    private static DataSource postgresql(String url) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url);
        return dataSource;
    }
}
