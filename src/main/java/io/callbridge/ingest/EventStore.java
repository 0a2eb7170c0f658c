package io.callbridge.ingest;

import io.callbridge.domain.CallEvent;
import io.callbridge.process.CallLanes;
import io.callbridge.store.Journal;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Body;

/** Makes an event durable, then hands it to processing: the order that lets the PBX be answered (rule R4). */
@ApplicationScoped
@Named("eventStore")
@RegisterForReflection
public class EventStore {

    private static final int PATIENCE_MS = 1500;

    private final Journal journal;
    private final CallLanes lanes;

    public EventStore(Journal journal, CallLanes lanes) {
        this.journal = journal;
        this.lanes = lanes;
    }

    /**
     * @param accepted what {@link WebhookReader} answered for an event
     * @throws StoreException if the event is not durable in time
     */
    public void append(@Body Map<String, Object> accepted) {
        await(begin(accepted));
    }

    /**
     * Several events in their order, with one commit.
     *
     * @throws StoreException if one of them is not durable in time; those that are, are repeats the next time
     */
    public void appendAll(@Body List<Map<String, Object>> accepted) {
        accepted.stream().map(this::begin).toList().forEach(EventStore::await);
    }

    @SuppressWarnings("unchecked")
    private CompletableFuture<Boolean> begin(Map<String, Object> accepted) {
        Map<String, String> fields = (Map<String, String>) accepted.get("fields");
        CallEvent event = EventReader.read((String) accepted.get("pbx"), fields, Instant.now());
        CompletableFuture<Boolean> appended = journal.append(event, fields);
        // Handed on by the commit itself: also an event that is stored after we have lost patience rings a phone.
        appended.thenAccept(isNew -> {
            if (isNew) {
                lanes.submit(event);
            }
        });
        return appended;
    }

    private static void await(CompletableFuture<Boolean> appended) {
        try {
            appended.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            // The sender learns what happened, not what the database said: that is in the log.
            throw new StoreException("the event could not be stored; send it again", e.getCause());
        } catch (TimeoutException e) {
            throw new StoreException("the event could not be stored within " + PATIENCE_MS + " ms; send it again", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("Callbridge is shutting down; send it again", e);
        }
    }
}
