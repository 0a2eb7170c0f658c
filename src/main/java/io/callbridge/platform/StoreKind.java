package io.callbridge.platform;

import java.util.List;

/** The databases that can be the store, and what differs between them. */
public enum StoreKind {

    /** Two files, one process, one writer each. */
    SQLITE("jdbc:sqlite:", "sqlite", "inbox", 1, 32, ""),

    /** Several replicas may share it: what one takes, the others must pass over. */
    POSTGRESQL("jdbc:postgresql:", "postgresql", "postgresql", 2, 6, " for update skip locked");

    /** How its addresses begin. */
    public final String prefix;
    /** Name of its data source in the configuration. */
    public final String dataSource;
    /** Name of the one whose commits are forced. */
    public final String forced;
    /** All of them, which have a schema each. */
    public final List<String> schemas;
    public final int writers;
    public final int readers;
    /** End of a query whose rows are to be claimed. */
    public final String claiming;

    StoreKind(String prefix, String dataSource, String forced, int writers, int readers, String claiming) {
        this.prefix = prefix;
        this.dataSource = dataSource;
        this.forced = forced;
        this.schemas = List.of(dataSource, forced).stream().distinct().toList();
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

    /** Whether an address is that of a store that is still there after the end. */
    static boolean keeps(String url) {
        String file = file(url);
        return of(url) != null && (of(url).shared()
                || !file.isBlank() && !file.startsWith(":") && !file.endsWith("/") && !url.contains("mode=memory"));
    }

    /** The file of an address, if that is one of SQLite. */
    static String file(String url) {
        return url.replaceFirst("^" + SQLITE.prefix + "(file:)?", "").replaceFirst("\\?.*", "");
    }

    /** Address of the forced data source: of SQLite a file beside the other one. */
    public String forcedUrl(String url) {
        return this == POSTGRESQL ? url : url.replaceFirst("^([^?]*?)(\\.[A-Za-z0-9]+)?(\\?.*)?$", "$1-inbox$2$3");
    }
}
