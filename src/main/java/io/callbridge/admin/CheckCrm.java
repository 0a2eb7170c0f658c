package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCheck;
import io.callbridge.deliver.CrmCheck.Step;
import io.callbridge.platform.Settings;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Tries a CRM because an administrator wants to know. */
@ApplicationScoped
@Named("crmCheck")
@RegisterForReflection
public class CheckCrm {

    /** Belongs to nobody: kept for films and manuals. */
    private static final String NOBODY = "+12025550123";

    private final CrmCheck check;
    private final Settings settings;
    private final Audit audit;
    private final ObjectMapper json;

    public CheckCrm(CrmCheck check, Settings settings, Audit audit, ObjectMapper json) {
        this.check = check;
        this.settings = settings;
        this.audit = audit;
        this.json = json;
    }

    /** @return JSON with each step, and whether none failed */
    public String of(@Header("crm") String crm, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who)
            throws JsonProcessingException {
        String number = new Parameters(query, "number").text("number");
        if (!settings.crms().contains(crm)) {
            throw RefusedException.notFound("there is no active CRM " + crm + "; active: " + String.join(", ", settings.crms()));
        }
        String asked = number == null ? NOBODY : Settings.e164(number.replaceAll("[ ().-]", ""), null);
        if (asked == null) {
            throw Parameters.invalid("number", number, "a number with + and country code, such as " + NOBODY);
        }
        audit.record(who, "check", "CRM " + crm, null);
        List<Step> steps = check.check(crm, asked);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("crm", crm);
        answer.put("ok", steps.stream().noneMatch(step -> step.result().equals("failed")));
        answer.put("steps", steps.stream().map(CheckCrm::view).toList());
        return json.writeValueAsString(answer);
    }

    private static Map<String, Object> view(Step step) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("step", step.step());
        view.put("result", step.result());
        view.put("code", step.code());
        optional(view, "status", step.status());
        optional(view, "detail", step.detail());
        optional(view, "found", step.found());
        if (!step.result().equals("skipped")) {
            view.put("millis", step.millis());
        }
        return view;
    }

    private static void optional(Map<String, Object> view, String name, Object value) {
        if (value != null) {
            view.put(name, value);
        }
    }
}
