package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What must be known again, on the disk before anybody goes on: the id that a CRM gave a call, a token, its users, who holds a lease. Of
 * no CRM (an empty name): what Callbridge itself must know again.
 */
@ApplicationScoped
public class Memory {

    /** The database's clock counts: those of replicas differ. */
    private static final String NOW = "extract(epoch from clock_timestamp()) * 1000";
    private static final String CLAIM = "insert into memory (about, crm, name, value, ends_at) values ('', ?, ?, ?, cast(" + NOW + " + ? as bigint))"
            + " on conflict (about, crm, name) do update set value = excluded.value, ends_at = excluded.ends_at"
            + " where memory.value = excluded.value or memory.ends_at < " + NOW;
    private static final String KEEP = "insert into memory (about, crm, name, value) values (?, ?, ?, ?) on conflict (about, crm, name) do ";

    private final Store store;
    /** Of {@link #permit} without other replicas. */
    private final Map<String, Bucket> buckets = new ConcurrentHashMap<>();

    public Memory(Store store) {
        this.store = store;
    }

    /**
     * @param about PBX and SubCallID or CallID, with a blank between them; empty: the CRM itself
     * @return {@code null}: nothing of that name is kept
     */
    public String recall(String crm, String about, String name) {
        return store.forced().read(sql -> sql.first("select value from memory where about = ? and crm = ? and name = ?",
                row -> row.getString(1), about, crm, name));
    }

    /** @return completes when it is durable */
    public CompletableFuture<Boolean> keep(String crm, String about, String name, String value) {
        return store.forced().change("memory " + about, KEEP + "update set value = excluded.value", about, crm, name, value);
    }

    /** Like {@link #keep}, but what is kept already stays. */
    public CompletableFuture<Boolean> keepFirst(String crm, String about, String name, String value) {
        return store.forced().change("memory " + about, KEEP + "nothing", about, crm, name, value);
    }

    public CompletableFuture<Boolean> forget(String crm, String about, String name) {
        return store.forced().change("memory " + about, "delete from memory where about = ? and crm = ? and name = ?", about, crm, name);
    }

    /** All that is known about these calls and legs. */
    void forget(Collection<String> abouts) {
        store.forced().writeAndWait("memory", sql -> sql.update("delete from memory where about in " + Sql.in(abouts), abouts.toArray()));
    }

    /** Whether there may be other replicas; without them nobody has to ask for a claim. */
    public boolean shared() {
        return store.kind().shared();
    }

    /**
     * Lets one of several replicas do what only one may do; without others it always may. Does not wait.
     *
     * @param ms how long the claim holds unless it is released, from a moment after this call
     * @return whether the holder has it now; fails, and in any case ends, when that cannot be found out
     */
    public CompletableFuture<Boolean> claim(String crm, String name, String holder, long ms) {
        return shared() ? store.writeAtOnce("memory ", sql -> sql.update(CLAIM, crm, name, holder, ms) > 0)
                : CompletableFuture.completedFuture(true);
    }

    /** Gives a claim back, if it is the holder's. Does not wait. @return whether it was; fails as {@link #claim} does */
    public CompletableFuture<Boolean> release(String crm, String name, String holder) {
        return store.writeAtOnce("memory ", sql -> sql.update("delete from memory where about = '' and crm = ? and name = ? and value = ?",
                crm, name, holder) > 0);
    }

    /** Whether anybody of several replicas has a claim. */
    public boolean claimed(String crm, String name) {
        return store.forced().read(sql -> sql.first("select 1 from memory where about = '' and crm = ? and name = ? and ends_at > " + NOW,
                row -> true, crm, name)) != null;
    }

    /**
     * Takes a permit for a request to a CRM, if there is one, of a bucket that all replicas share and that fills at a rate. What is known of
     * it is when it will be full. It is empty at first: nobody knows what was asked before; and when a clock was set back.
     *
     * @param rate permits per second
     * @param burst permits that are saved at most
     * @param reserve permits that are left for others
     * @return 0: it is taken; else when it is worth to ask again, in milliseconds
     */
    public CompletableFuture<Long> permit(String name, double rate, int burst, int reserve) {
        if (!shared()) {
            Bucket bucket = buckets.merge(name, new Bucket(0, 0).ask(System.nanoTime() / 1e6, rate, burst, reserve),
                    (before, first) -> before.ask(System.nanoTime() / 1e6, rate, burst, reserve));
            return CompletableFuture.completedFuture(bucket.waitMs);
        }
        // As calls are committed: the disk is too slow for it.
        return store.calls().write("permit " + name, sql -> {
            sql.update("insert into memory (about, crm, name, value) values ('', '', ?, '0') on conflict do nothing", "permit " + name);
            Bucket bucket = sql.first("select value, " + NOW + " from memory where about = '' and crm = '' and name = ? for update",
                    row -> new Bucket(row.getDouble(1), 0).ask(row.getDouble(2), rate, burst, reserve), "permit " + name);
            sql.update("update memory set value = ? where about = '' and crm = '' and name = ?", Double.toString(bucket.fullAt), "permit " + name);
            return bucket.waitMs;
        });
    }

    /** @param fullAt in milliseconds; 0: it is new @param waitMs what was answered */
    private record Bucket(double fullAt, long waitMs) {

        private Bucket ask(double now, double rate, int burst, int reserve) {
            double empty = now + burst * 1000 / rate;
            double full = fullAt == 0 ? empty : Math.max(now, Math.min(fullAt, empty));
            long wait = Math.max(0, (long) Math.ceil(full - now - (burst - reserve - 1) * 1000 / rate));
            return new Bucket(wait > 0 ? full : full + 1000 / rate, wait);
        }
    }
}
