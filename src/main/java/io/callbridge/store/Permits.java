package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.CompletableFuture;

/**
 * How many requests a CRM takes, from all replicas together and over a restart: a bucket of permits that fills at a rate. It is
 * empty at first: nobody knows what was asked before.
 */
@ApplicationScoped
public class Permits {

    private final Store store;
    private final String row;

    public Permits(Store store) {
        this.store = store;
        // The database's clock counts: those of replicas differ.
        row = store.kind().shared()
                ? "select permits, at, extract(epoch from clock_timestamp()) * 1000 from crm_rate where name = ? for update"
                : "select permits, at, 0 from crm_rate where name = ?";
    }

    private record Bucket(double permits, double at, double now) {
    }

    /**
     * Takes a permit, if there is one.
     *
     * @param rate permits per second
     * @param burst permits that are saved at most
     * @param reserve permits that are left for others
     * @return 0: it is taken; else when it is worth to ask again, in milliseconds
     */
    public CompletableFuture<Long> take(String name, double rate, int burst, int reserve) {
        return store.write("rate " + name, sql -> {
            double here = System.currentTimeMillis();
            sql.update("insert into crm_rate (name, permits, at) values (?, 0, 0) on conflict do nothing", name);
            Bucket bucket = sql.first(row, found -> new Bucket(found.getDouble(1), found.getDouble(2), found.getDouble(3)), name);
            double now = store.kind().shared() ? bucket.now : here;
            // A clock that was set back must not stop everything.
            double since = bucket.at == 0 || now < bucket.at ? 0 : now - bucket.at;
            double permits = Math.min(burst, bucket.permits + since * rate / 1000);
            boolean taken = permits >= 1 + reserve;
            sql.update("update crm_rate set permits = ?, at = ? where name = ?", taken ? permits - 1 : permits, now, name);
            return taken ? 0L : (long) Math.ceil((1 + reserve - permits) * 1000 / rate);
        });
    }
}
