package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.CompletableFuture;

/** What a CRM answered and must be told again: the id that it gave a call, a token, its users. */
@ApplicationScoped
public class CrmMemory {

    private final Store store;

    public CrmMemory(Store store) {
        this.store = store;
    }

    /** @param about SubCallID or CallID; empty: the CRM itself. @return {@code null}: nothing of that name is kept */
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
}
