package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.ingest.EventFields;
import io.callbridge.ingest.EventReader;
import io.callbridge.platform.Settings;
import io.callbridge.store.Journal;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.ProducerTemplate;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Plays an invented call through the routes before the start is complete, and throws its effects away. On a fresh JVM the
 * first events of the morning would otherwise take half a second, and the first phone that rings would have no card.
 */
@ApplicationScoped
public class Rehearsal {

    private static final int ROUNDS = 30;
    private static final String FORM = "CallID=rehearsal&SubCallID=rehearsal&CallStatus=ANSWER&CallerIDNum=%2B79000000000&CalledNumber="
            + "0&EventTime=1741078800000000&Duration=1000000&EventType=";

    private final ProducerTemplate template;
    private final Settings settings;
    private final Journal journal;
    /** Asked as a CRM is, to wake the HTTP client. */
    private final String ownAddress;

    public Rehearsal(ProducerTemplate template, Settings settings, Journal journal,
            @ConfigProperty(name = "quarkus.http.port") int port) {
        this.template = template;
        this.settings = settings;
        this.journal = journal;
        this.ownAddress = "http://localhost:" + port + "/q/health/live?throwExceptionOnFailure=false&connectTimeout=200&responseTimeout=1000";
    }

    /** What fails here fails without consequence: it is the real call that is looked at. */
    public void play() {
        for (int round = 0; round < ROUNDS; round++) {
            template.send(ownAddress, exchange -> {
            });
        }
        for (String pbx : settings.pbxs()) {
            for (int round = 0; round < ROUNDS; round++) {
                List<CallEvent> events = new ArrayList<>();
                for (String type : List.of("dial-in", "answer", "hangup")) {
                    events.add(EventReader.read(pbx, EventFields.read(null, null, (FORM + type).getBytes(StandardCharsets.UTF_8)),
                            Instant.now()));
                    look(pbx, events);
                }
            }
        }
    }

    private void look(String pbx, List<CallEvent> events) {
        journal.call(pbx, "rehearsal");
        Fold fold = new Fold(events, List.of(), settings.directory(pbx), settings.calls(), List.of(), "rehearsal", 0);
        template.send("direct:process-event-decide", exchange -> {
            exchange.setProperty(Fold.PROPERTY, fold);
            exchange.getMessage().setBody(Map.of("trigger", "event", "pbx", pbx, "callId", "rehearsal", "subject", "rehearsal"));
        });
    }
}
