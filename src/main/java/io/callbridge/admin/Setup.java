package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmCheck;
import io.callbridge.deliver.CrmUsers;
import io.callbridge.domain.EventReader;
import io.callbridge.domain.Extension;
import io.callbridge.ingest.EventKinds.Ignored;
import io.callbridge.ingest.EventKinds.Refusal;
import io.callbridge.ingest.EventKinds;
import io.callbridge.platform.PhoneNumbers;
import io.callbridge.platform.Settings;
import io.callbridge.store.Calls;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** What an administrator needs to connect a PBX, what he sees of what it sends, and whether a CRM takes what it is told. */
@ApplicationScoped
class Setup {

    private static final int MOST_UNMAPPED = 100;
    /** Queues, IVRs and who was mapped since are among them, and left out. */
    private static final int MOST_READ = 1_000;
    /** Enough to see whom nobody knows; what was long ago is mended by now, or is of no interest. */
    private static final int LAST_CALLS = 10_000;
    /** Belongs to nobody: kept for films and manuals. */
    private static final String NOBODY = "+12025550123";

    private final Settings settings;
    private final EventKinds kinds;
    private final CallIndex index;
    private final Calls calls;
    private final CrmCapabilities capabilities;
    private final CrmUsers users;
    private final CrmCheck check;
    private final Audit audit;

    Setup(Settings settings, EventKinds kinds, CallIndex index, Calls calls, CrmCapabilities capabilities, CrmUsers users, CrmCheck check,
            Audit audit) {
        this.settings = settings;
        this.kinds = kinds;
        this.index = index;
        this.calls = calls;
        this.capabilities = capabilities;
        this.users = users;
        this.check = check;
        this.audit = audit;
    }

    @RegisterForReflection
    record View(List<Pbx> pbxs, WrongSecret wrongSecret, List<Crm> crms) {
    }

    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record WrongSecret(long count, Instant lastAt) {
    }

    @RegisterForReflection
    record Crm(String crm, List<String> capabilities) {
    }

    /** @param webhook its path, without the secret @param lastRefusal of what it sent last that was refused */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Pbx(String pbx, String webhook, Integer tcpPort, Address asterisk, LastEvent lastEvent, Refusal lastRefusal, Long clockSeconds,
            List<UnclearField> unclear, List<Ignored> ignored, List<Unmapped> unmapped) {
    }

    @RegisterForReflection
    record Address(String host, int port) {
    }

    @RegisterForReflection
    record LastEvent(Instant arrivedAt, String callId, String type, List<Field> fields) {

        private static LastEvent of(Event event) {
            return new LastEvent(event.call().arrivedAt(), event.call().callId(), event.call().type().word, event.fields().entrySet().stream()
                    .map(field -> new Field(field.getKey(), field.getValue(), EventReader.FIELDS.contains(field.getKey()))).toList());
        }
    }

    @RegisterForReflection
    record Field(String name, String value, boolean known) {
    }

    @RegisterForReflection
    record UnclearField(String field, String value, Instant at) {
    }

    @RegisterForReflection
    record Unmapped(String extension, long calls, Instant lastAt) {
    }

    View of(AdminRequest request) {
        request.takes();
        return new View(settings.pbxs().stream().sorted().map(this::pbx).toList(), new WrongSecret(kinds.wrongSecrets(), kinds.wrongSecretAt()),
                settings.crms().stream().map(crm -> new Crm(crm, capabilities.of(crm))).toList());
    }

    private Pbx pbx(String pbx) {
        boolean webhook = settings.secret(pbx) != null;
        return new Pbx(pbx, webhook ? webhookPath("***") : null, webhook ? settings.tcpPort().orElse(null) : null,
                settings.asterisk(pbx).map(asterisk -> new Address(asterisk.host(), asterisk.port())).orElse(null),
                index.last(pbx, 1).stream().findFirst().map(last -> calls.one(pbx, last.callId())).map(last -> Document.of(last.document()).events())
                        .map(events -> LastEvent.of(events.get(events.size() - 1))).orElse(null),
                kinds.lastRefusal(pbx), kinds.clockSeconds(pbx).stream().mapToObj(Math::round).findFirst().orElse(null),
                kinds.lastUnclear(pbx).entrySet().stream()
                        .map(field -> new UnclearField(field.getKey(), field.getValue().value(), field.getValue().at())).toList(),
                kinds.lastIgnored(pbx),
                index.unmapped(pbx, LAST_CALLS, MOST_READ).stream().filter(found -> person(pbx, found.extension())).limit(MOST_UNMAPPED)
                        .map(found -> new Unmapped(found.extension(), found.calls(), Instant.ofEpochMilli(found.lastAt()))).toList());
    }

    /** Neither an IVR or a queue, nor mapped by a CRM or since its last call. */
    private boolean person(String pbx, String extension) {
        Extension known = settings.directory(pbx).own(extension);
        return !users.known(extension) && (known == null || !known.container() && known.user() == null);
    }

    private static String webhookPath(String secret) {
        return "/pbx/" + secret + "/events";
    }

    /** The address of a PBX's webhook with its secret, for who says that he wants to see it. */
    Map<String, String> webhook(AdminRequest request) {
        String pbx = request.takes().path("pbx");
        String secret = settings.secret(pbx);
        if (secret == null) {
            throw RefusedException.notFound("no PBX " + pbx + " with a webhook");
        }
        audit.record(request.who(), "show-webhook", "PBX " + pbx, null);
        return Map.of("webhook", webhookPath(URLEncoder.encode(secret, StandardCharsets.UTF_8).replace("+", "%20")));
    }

    /** @param ok no step failed */
    @RegisterForReflection
    record Checked(String crm, boolean ok, List<Step> steps) {
    }

    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Step(String step, String result, String code, Integer status, String detail, String found, Long millis) {

        private static Step of(CrmCheck.Step step) {
            return new Step(step.step(), step.result(), step.code(), step.status(), step.detail(), step.found(),
                    step.result().equals("skipped") ? null : step.millis());
        }
    }

    /** Tries a CRM because an administrator wants to know. */
    Checked check(AdminRequest request) {
        String crm = request.path("crm");
        String number = request.takes("number").text("number");
        if (!settings.crms().contains(crm)) {
            throw RefusedException.notFound("there is no active CRM " + crm + "; active: " + String.join(", ", settings.crms()));
        }
        String asked = number == null ? NOBODY : PhoneNumbers.e164(number.replaceAll("[ ().-]", ""), null);
        if (asked == null) {
            throw AdminRequest.invalid("number", number, "a number with + and country code, such as " + NOBODY);
        }
        audit.record(request.who(), "check", "CRM " + crm, null);
        List<Step> steps = check.check(crm, asked).stream().map(Step::of).toList();
        return new Checked(crm, steps.stream().noneMatch(step -> step.result.equals("failed")), steps);
    }
}
