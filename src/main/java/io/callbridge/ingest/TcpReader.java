package io.callbridge.ingest;

import io.callbridge.platform.Settings;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;

/** Reads an event that came over TCP. */
@ApplicationScoped
@Named("tcpReader")
@RegisterForReflection
public class TcpReader {

    private final Settings settings;
    private final EventKinds kinds;
    private final CamelContext context;

    public TcpReader(Settings settings, EventKinds kinds, CamelContext context) {
        this.settings = settings;
        this.kinds = kinds;
        this.context = context;
    }

    /**
     * Sets the variable {@code number}, of the event on its connection, and {@code kind}: see {@link EventKinds#sort}.
     *
     * @return of an event: {@code pbx} and {@code fields}
     * @throws BadRequestException if the event cannot be read
     * @throws StoreException before all routes run, and when they do no more
     */
    public Map<String, Object> read(Exchange exchange) {
        TcpEvent event = exchange.getMessage().getBody(TcpEvent.class);
        exchange.setVariable("number", event.number());
        if (!context.isStarted()) {
            throw new StoreException("Callbridge is starting or stopping; send it again", null);
        }
        try {
            return kinds.sort(exchange, event.pbx(), event.fields(settings.charset(event.pbx())));
        } catch (BadRequestException e) {
            kinds.refused(event.pbx(), e.getMessage());
            throw e;
        }
    }
}
