package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmUsers;
import io.callbridge.domain.Extension;
import io.callbridge.ingest.EventKinds;
import io.callbridge.ingest.EventReader;
import io.callbridge.platform.Settings;
import io.callbridge.store.Calls;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** What an administrator needs to connect a PBX, and sees of what it sends. */
@ApplicationScoped
@Named("setup")
@RegisterForReflection
public class Setup {

    private static final int MOST_UNMAPPED = 100;
    /** Queues, IVRs and who was mapped since are among them, and left out. */
    private static final int MOST_READ = 1_000;
    /** Enough to see whom nobody knows; what was long ago is mended by now, or is of no interest. */
    private static final int LAST_CALLS = 10_000;

    private final Settings settings;
    private final EventKinds kinds;
    private final CallIndex index;
    private final Calls calls;
    private final CrmCapabilities capabilities;
    private final CrmUsers users;
    private final Audit audit;
    private final ObjectMapper json;

    public Setup(Settings settings, EventKinds kinds, CallIndex index, Calls calls, CrmCapabilities capabilities, CrmUsers users,
            Audit audit, ObjectMapper json) {
        this.settings = settings;
        this.kinds = kinds;
        this.index = index;
        this.calls = calls;
        this.capabilities = capabilities;
        this.users = users;
        this.audit = audit;
        this.json = json;
    }

    /** @return JSON */
    public String of(@Header(Exchange.HTTP_RAW_QUERY) String query) throws JsonProcessingException {
        new Parameters(query);
        Map<String, Object> wrongSecret = new LinkedHashMap<>();
        wrongSecret.put("count", kinds.wrongSecrets());
        if (kinds.wrongSecretAt() != null) {
            wrongSecret.put("lastAt", kinds.wrongSecretAt().toString());
        }
        Map<String, Object> setup = new LinkedHashMap<>();
        setup.put("pbxs", settings.pbxs().stream().sorted().map(this::pbx).toList());
        setup.put("wrongSecret", wrongSecret);
        setup.put("crms", settings.crms().stream().map(crm -> Map.of("crm", crm, "capabilities", capabilities.of(crm))).toList());
        return json.writeValueAsString(setup);
    }

    /** The address of a PBX's webhook with its secret, for who says that he wants to see it. @return JSON */
    public String webhook(@Header("pbx") String pbx, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who)
            throws JsonProcessingException {
        new Parameters(query);
        String secret = pbx == null ? null : settings.secret(pbx);
        if (secret == null) {
            throw RefusedException.notFound("no PBX " + pbx + " with a webhook");
        }
        audit.record(who, "show-webhook", "PBX " + pbx, null);
        return json.writeValueAsString(Map.of("webhook", webhook(URLEncoder.encode(secret, StandardCharsets.UTF_8).replace("+", "%20"))));
    }

    private static String webhook(String secret) {
        return "/pbx/" + secret + "/events";
    }

    private Map<String, Object> pbx(String pbx) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("pbx", pbx);
        if (settings.secret(pbx) != null) {
            view.put("webhook", webhook("***"));
            settings.tcpPort().ifPresent(port -> view.put("tcpPort", port));
        }
        settings.asterisk(pbx).ifPresent(asterisk -> view.put("asterisk", Map.of("host", asterisk.host(), "port", asterisk.port())));
        index.last(pbx, 1).stream().findFirst().map(last -> calls.one(pbx, last.callId())).map(last -> Document.of(last.document()).events())
                .ifPresent(events -> view.put("lastEvent", event(events.get(events.size() - 1))));
        EventKinds.Refusal refusal = kinds.lastRefusal(pbx);
        if (refusal != null) {
            view.put("lastRefusal", Map.of("at", refusal.at().toString(), "reason", refusal.reason()));
        }
        kinds.clockSeconds(pbx).ifPresent(ahead -> view.put("clockSeconds", Math.round(ahead)));
        view.put("unclear", kinds.lastUnclear(pbx).entrySet().stream().map(field -> Map.of("field", field.getKey(),
                "value", field.getValue().value(), "at", field.getValue().at().toString())).toList());
        view.put("ignored", kinds.lastIgnored(pbx).stream().map(event -> Map.of("at", event.at().toString(), "type", event.type(),
                "reason", event.reason())).toList());
        view.put("unmapped", index.unmapped(pbx, LAST_CALLS, MOST_READ).stream().filter(found -> person(pbx, found.extension())).limit(MOST_UNMAPPED)
                .map(found -> Map.of("extension", found.extension(), "calls", found.calls(), "lastAt", DeliveryView.time(found.lastAt())))
                .toList());
        return view;
    }

    /** Neither an IVR or a queue, nor mapped by a CRM or since its last call. */
    private boolean person(String pbx, String extension) {
        Extension known = settings.directory(pbx).own(extension);
        return !users.known(extension) && (known == null || !known.container() && known.user() == null);
    }

    private static Map<String, Object> event(Event entry) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("arrivedAt", entry.call().arrivedAt().toString());
        event.put("callId", entry.call().callId());
        event.put("type", entry.call().type().word);
        event.put("fields", entry.fields().entrySet().stream().map(field -> Map.of("name", field.getKey(), "value", field.getValue(),
                "known", EventReader.FIELDS.contains(field.getKey()))).toList());
        return event;
    }
}
