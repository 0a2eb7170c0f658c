package io.callbridge.store;

import io.callbridge.platform.Leases;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.CompletableFuture;

/** Leases that are rows of the common database. Its clock counts: those of replicas differ. */
@ApplicationScoped
public class StoreLeases implements Leases {

    private static final String TAKE = """
            insert into lease (name, holder, expires_at)
            values (?, ?, clock_timestamp() + cast(? as double precision) * interval '1 millisecond')
            on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
            where lease.holder = excluded.holder or lease.expires_at < clock_timestamp()""";

    private final Store store;

    public StoreLeases(Store store) {
        this.store = store;
    }

    /** Not without other replicas. */
    @Override
    public boolean needed() {
        return store.kind().shared();
    }

    @Override
    public CompletableFuture<Boolean> take(String name, String holder, long ms) {
        return store.writeAtOnce(order(name), sql -> sql.update(TAKE, name, holder, ms) > 0);
    }

    @Override
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
