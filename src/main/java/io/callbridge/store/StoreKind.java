package io.callbridge.store;

/** The databases that can be the store, and what differs between them. */
public enum StoreKind {

    /** One file, one process, one writer. */
    SQLITE("jdbc:sqlite:", "sqlite", 1, 32, ""),

    /** Several replicas may share it: what one takes, the others must pass over. */
    POSTGRESQL("jdbc:postgresql:", "postgresql", 3, 12, " for update skip locked");

    /** How its addresses begin. */
    public final String prefix;
    /** Name of its data source in the configuration. */
    public final String dataSource;
    final int writers;
    final int readers;
    /** End of a query whose rows are to be claimed. */
    final String claiming;

    StoreKind(String prefix, String dataSource, int writers, int readers, String claiming) {
        this.prefix = prefix;
        this.dataSource = dataSource;
        this.writers = writers;
        this.readers = readers;
        this.claiming = claiming;
    }

    /** Other processes work on the same store. */
    public boolean shared() {
        return this == POSTGRESQL;
    }

    /** @return {@code null} for an address of anything else */
    public static StoreKind of(String url) {
        for (StoreKind kind : values()) {
            if (url.startsWith(kind.prefix)) {
                return kind;
            }
        }
        return null;
    }
}
