package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.CompletableFuture;

/**
 * What a CRM answered and must be told again: the id that it gave a call, a token, its users. Of no CRM (an empty name): what
 * Callbridge itself must know again.
 */
@ApplicationScoped
public class CrmMemory {

    /** The database's clock counts: those of replicas differ. */
    private static final String CLAIM = """
            insert into crm_memory (about, crm, name, value)
            values ('', ?, ?, ? || ' ' || cast(extract(epoch from clock_timestamp()) * 1000 + ? as bigint))
            on conflict (about, crm, name) do update set value = excluded.value
            where split_part(crm_memory.value, ' ', 1) = split_part(excluded.value, ' ', 1)
            or cast(split_part(crm_memory.value, ' ', 2) as bigint) < extract(epoch from clock_timestamp()) * 1000""";

    private final Store store;

    public CrmMemory(Store store) {
        this.store = store;
    }

    /** @param about PBX and SubCallID or CallID, with a blank between them; empty: the CRM itself. @return {@code null}: nothing of that name is kept */
    public String recall(String crm, String about, String name) {
        return store.read(sql -> sql.first("select value from crm_memory where about = ? and crm = ? and name = ?",
                row -> row.getString(1), about, crm, name));
    }

    /** @return completes when it is durable */
    public CompletableFuture<Boolean> keep(String crm, String about, String name, String value) {
        return store.changeAtOnce("memory " + about, "insert into crm_memory (about, crm, name, value) values (?, ?, ?, ?)"
                + " on conflict (about, crm, name) do update set value = excluded.value", about, crm, name, value);
    }

    /** Like {@link #keep}, but what is kept already stays. */
    public CompletableFuture<Boolean> keepFirst(String crm, String about, String name, String value) {
        return store.changeAtOnce("memory " + about, "insert into crm_memory (about, crm, name, value) values (?, ?, ?, ?)"
                + " on conflict (about, crm, name) do nothing", about, crm, name, value);
    }

    public CompletableFuture<Boolean> forget(String crm, String about, String name) {
        return store.changeAtOnce("memory " + about, "delete from crm_memory where about = ? and crm = ? and name = ?", about, crm, name);
    }

    /**
     * Lets one of several replicas do what only one may do; without others it always may.
     *
     * @param holder a text without blanks
     * @param ms how long the claim holds unless it is released
     * @return whether the holder has it now
     */
    public CompletableFuture<Boolean> claim(String crm, String name, String holder, long ms) {
        return store.kind().shared() ? store.writeAtOnce("memory ", sql -> sql.update(CLAIM, crm, name, holder, ms) > 0)
                : CompletableFuture.completedFuture(true);
    }

    public CompletableFuture<Boolean> release(String crm, String name, String holder) {
        return store.changeAtOnce("memory ", "delete from crm_memory where about = '' and crm = ? and name = ? and value like ? || ' %'",
                crm, name, holder);
    }
}
