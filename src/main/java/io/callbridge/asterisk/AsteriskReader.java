package io.callbridge.asterisk;

import io.callbridge.domain.Directory;
import io.callbridge.ingest.EventKinds;
import io.callbridge.platform.AmiSettings;
import io.callbridge.platform.CallLog;
import io.callbridge.platform.Settings;
import io.callbridge.store.Calls;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.callbridge.store.Inbox;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Body;
import org.jboss.logging.Logger;

/**
 * Reads what Asterisks say. Of every connection it begins with what the store knows of calls that were not over, whether
 * this process was connected before, it was killed, or another replica was.
 */
@ApplicationScoped
@Named("asteriskReader")
@RegisterForReflection
public class AsteriskReader {

    /** Action ids of the lists that are asked for on every new connection, to be answered in this order. */
    public static final String STATUS = "callbridge-status";
    public static final String CHANNELS = "callbridge-channels";

    /** The events that say something about calls. */
    public static final Set<String> EVENTS = Set.of("Newchannel", "Newstate", "NewCallerid", "DialBegin", "DialEnd", "BridgeEnter", "BridgeLeave",
            "Hangup", "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentLogin", "VarSet", "Cdr", "Status",
            "CoreShowChannel", "CoreShowChannelsComplete");

    private static final Logger LOG = Logger.getLogger(AsteriskReader.class);

    private final Settings settings;
    private final Calls calls;
    private final Inbox inbox;
    private final EventKinds kinds;
    private final Map<String, Reading> readings = new ConcurrentHashMap<>();

    /**
     * Only the calls themselves are followed under the ids of their Asterisk; everywhere else these have the prefix.
     *
     * @param others ids of calls that began when there was no prefix, or another one, and keep it
     */
    private record Reading(long connection, AsteriskCalls calls, String prefix, Set<String> others) {

        static Reading of(long connection, AmiSettings asterisk, Directory directory, List<Map<String, String>> openCalls) {
            AsteriskCalls calls = new AsteriskCalls(asterisk.dialplan(), directory::reachesNumber);
            String prefix = asterisk.idPrefix();
            Set<String> others = openCalls.stream().map(fields -> fields.get("CallID")).filter(id -> !id.startsWith(prefix))
                    .collect(Collectors.toSet());
            Reading reading = new Reading(connection, calls, prefix, others);
            calls.restore(openCalls.stream().map(fields -> reading.ids(fields, id -> id.substring(prefix.length()))).toList());
            return reading;
        }

        List<Map<String, String>> take(AmiMessage message, Instant arrivedAt) {
            return calls.take(message, arrivedAt).stream().map(fields -> ids(fields, prefix::concat)).toList();
        }

        private Map<String, String> ids(Map<String, String> fields, UnaryOperator<String> change) {
            if (prefix.isEmpty() || others.contains(fields.get("CallID"))) {
                return fields;
            }
            Map<String, String> changed = new LinkedHashMap<>(fields);
            changed.computeIfPresent("CallID", (name, id) -> change.apply(id));
            changed.computeIfPresent("SubCallID", (name, id) -> change.apply(id));
            return changed;
        }
    }

    public AsteriskReader(Settings settings, Calls calls, Inbox inbox, EventKinds kinds) {
        this.settings = settings;
        this.calls = calls;
        this.inbox = inbox;
        this.kinds = kinds;
    }

    /** The Asterisk does not say which channels there are: its user may not ask, or what calls itself an Asterisk knows no such list. */
    static boolean notListed(AmiMessage message) {
        return message.event().isEmpty() && message.get("Response").equalsIgnoreCase("Error")
                && (message.get("ActionID").equals(CHANNELS) || message.get("Message").contains("CoreShowChannels"));
    }

    /** Fields of the events of what may still go on: not evaluated, or of calls that are not over. */
    private List<Map<String, String>> known(String pbx) {
        // First what waits: it may be evaluated meanwhile.
        List<Event> waiting = inbox.events(event -> event.call().pbx().equals(pbx));
        return Stream.concat(calls.open(pbx).stream().flatMap(stored -> Document.of(stored.document()).events().stream()), waiting.stream())
                .map(Event::fields).filter(fields -> fields.containsKey(ChannelLeg.CHANNEL_ID)).distinct().toList();
    }

    /**
     * @return the call events that follow, each with {@code pbx}, {@code fields} and {@code arrivedAt}
     * @throws io.callbridge.store.StoreException if the store cannot be read; nothing of the batch was taken then
     */
    public List<Map<String, Object>> read(@Body AmiBatch batch) {
        Reading reading = readings.compute(batch.pbx(), (pbx, last) -> last != null && last.connection == batch.connection() ? last
                : Reading.of(batch.connection(), settings.asterisk(pbx).orElseThrow(), settings.directory(pbx),
                        known(pbx)));
        List<Map<String, Object>> events = new ArrayList<>();
        for (AmiMessage message : batch.messages()) {
            try {
                reading.take(message, batch.arrivedAt()).forEach(fields ->
                        events.add(Map.of("pbx", batch.pbx(), "fields", fields, "arrivedAt", batch.arrivedAt())));
            } catch (RuntimeException e) {
                // A mistake of ours about one message must not take the others with it.
                kinds.refused(batch.pbx(), "a message " + message.event() + " that could not be followed");
                String callId = reading.prefix + message.get("Linkedid");
                try (CallLog log = CallLog.about(callId)) {
                    LOG.errorf(e, "PBX %s: a message %s of call %s", batch.pbx(), message.event(), callId);
                }
            }
        }
        return events;
    }
}
