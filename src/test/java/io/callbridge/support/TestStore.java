package io.callbridge.support;

import io.callbridge.store.Store;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.flywaydb.core.Flyway;
import org.sqlite.SQLiteDataSource;

/** The store without the rest of the application. */
public final class TestStore {

    private static final Logger FLYWAY = Logger.getLogger("org.flywaydb");

    static {
        FLYWAY.setLevel(Level.WARNING);
    }

    private TestStore() {
    }

    /** A store that is not open yet. */
    public static Store of(String url) {
        SQLiteDataSource dataSource = new SQLiteDataSource();
        dataSource.setUrl(url);
        return new Store(dataSource, Flyway.configure().dataSource(dataSource).locations("db/sqlite").load(),
                TestConfig.settings(TestConfig.of(Map.of("callbridge.store.url", url), Map.of())));
    }
}
