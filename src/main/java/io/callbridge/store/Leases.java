package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.CompletableFuture;

/** Who of several replicas does what only one may do. The database's clock counts: those of replicas differ. */
@ApplicationScoped
public class Leases {

    private static final String TAKE = """
            insert into lease (name, holder, expires_at)
            values (?, ?, clock_timestamp() + cast(? as double precision) * interval '1 millisecond')
            on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
            where lease.holder = excluded.holder or lease.expires_at < clock_timestamp()""";

    private final Store store;

    public Leases(Store store) {
        this.store = store;
    }

    /** Without other replicas nobody needs a lease. */
    public boolean needed() {
        return store.kind().shared();
    }

    /**
     * Takes a lease that is free, has run out or is the holder's own.
     *
     * @param ms how long it is valid, from a moment after this call
     * @return whether the holder has it now
     */
    public CompletableFuture<Boolean> take(String name, String holder, long ms) {
        return store.writeAtOnce(order(name), sql -> sql.update(TAKE, name, holder, ms) > 0);
    }

    /** Gives a lease back, if it is the holder's. */
    public CompletableFuture<Boolean> giveBack(String name, String holder) {
        return store.writeAtOnce(order(name), sql -> sql.update("delete from lease where name = ? and holder = ?", name, holder) > 0);
    }

    private static String order(String name) {
        return "lease " + name;
    }
}
