package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.CompletableFuture;

/** Who of several replicas does what only one may do: rows of the common database. Its clock counts: those of replicas differ. */
@ApplicationScoped
public class StoreLeases {

    private static final String TAKE = """
            insert into lease (name, holder, expires_at)
            values (?, ?, clock_timestamp() + cast(? as double precision) * interval '1 millisecond')
            on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
            where lease.holder = excluded.holder or lease.expires_at < clock_timestamp()""";

    private final Store store;

    public StoreLeases(Store store) {
        this.store = store;
    }

    /** Whether there may be other replicas; without them nobody has to ask for a lease. */
    public boolean needed() {
        return store.kind().shared();
    }

    /**
     * Takes a lease that is free, has run out or is the holder's own. Does not wait.
     *
     * @param ms how long it is valid, from a moment after this call
     * @return whether the holder has it now; fails, and in any case ends, when that cannot be found out
     */
    public CompletableFuture<Boolean> take(String name, String holder, long ms) {
        return store.writeAtOnce(order(name), sql -> sql.update(TAKE, name, holder, ms) > 0);
    }

    /** Gives a lease back, if it is the holder's. Does not wait. @return whether it was; fails as {@link #take} does */
    public CompletableFuture<Boolean> giveBack(String name, String holder) {
        return store.writeAtOnce(order(name), sql -> sql.update("delete from lease where name = ? and holder = ?", name, holder) > 0);
    }

    /** Whether anybody has it. */
    public boolean held(String name) {
        return store.read(sql -> sql.first("select 1 from lease where name = ? and expires_at > clock_timestamp()", row -> true, name)) != null;
    }

    private static String order(String name) {
        return "lease " + name;
    }
}
