package io.callbridge.ingest;

import io.callbridge.domain.CallEvent;
import io.callbridge.process.CallLanes;
import io.callbridge.store.Journal;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Body;

/** Makes an event durable, then hands it to processing: the order that lets the PBX be answered (rule R4). */
@ApplicationScoped
@Named("eventStore")
@RegisterForReflection
public class EventStore {

    private static final int PATIENCE_MS = 2000;

    private final Journal journal;
    private final CallLanes lanes;

    public EventStore(Journal journal, CallLanes lanes) {
        this.journal = journal;
        this.lanes = lanes;
    }

    /**
     * @param accepted what {@link WebhookReader} answered for an event
     * @throws StoreException if the event is not durable within 2 s
     */
    @SuppressWarnings("unchecked")
    public void append(@Body Map<String, Object> accepted) {
        Map<String, String> fields = (Map<String, String>) accepted.get("fields");
        CallEvent event = EventReader.read((String) accepted.get("pbx"), fields, Instant.now());
        try {
            if (journal.append(event, fields).get(PATIENCE_MS, TimeUnit.MILLISECONDS)) {
                lanes.submit(event);
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof StoreException refused ? refused : new StoreException(e.getMessage(), e);
        } catch (TimeoutException e) {
            throw new StoreException("the store did not answer within " + PATIENCE_MS + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("Callbridge is shutting down", e);
        }
    }
}
