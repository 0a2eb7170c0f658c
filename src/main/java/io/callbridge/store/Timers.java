package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** What is to be looked at again at a given time: survives a restart, and is taken over when a replica dies. */
@ApplicationScoped
public class Timers {

    private final Store store;
    /** Who takes a timer has this long to look; then it is due again, for any replica. */
    private final long leaseMs;

    public Timers(Store store, Settings settings) {
        this.store = store;
        this.leaseMs = settings.number("store.lease-ms") / 2;
    }

    /** Takes timers whose time has come, of these PBXs, earliest first. */
    public CompletableFuture<List<Timer>> take(Set<String> pbxs, int limit) {
        long now = Time.millis();
        Boolean any = store.read(sql -> sql.first("select 1 from timer where due_at <= ? limit 1", row -> true, now));
        if (any == null) {
            return CompletableFuture.completedFuture(List.of());
        }
        return store.write("", sql -> {
            List<Timer> due = sql.query("select pbx, call_id, subject, due_at from timer where due_at <= ? and pbx || '' in " + Sql.in(pbxs)
                    + " order by due_at limit " + limit + store.kind().claiming,
                    row -> new Timer(row.getString(1), row.getString(2), row.getString(3), Instant.ofEpochMilli(row.getLong(4))),
                    Stream.concat(Stream.of(now), pbxs.stream()).toArray());
            for (Timer timer : due) {
                sql.update("update timer set due_at = ? where pbx = ? and call_id = ? and subject = ?", now + leaseMs, timer.pbx(),
                        timer.callId(), timer.subject());
            }
            return due;
        });
    }

    static void set(Sql sql, Timer timer) throws SQLException {
        if (timer.dueAt() == null) {
            sql.update("delete from timer where pbx = ? and call_id = ? and subject = ?", timer.pbx(), timer.callId(), timer.subject());
        } else {
            sql.update("insert into timer (pbx, call_id, subject, due_at) values (?, ?, ?, ?)"
                    + " on conflict (pbx, call_id, subject) do update set due_at = excluded.due_at", timer.pbx(), timer.callId(),
                    timer.subject(), timer.dueAt().toEpochMilli());
        }
    }
}
