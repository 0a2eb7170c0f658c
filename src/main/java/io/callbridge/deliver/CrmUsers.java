package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Memory;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Exchange;
import org.jboss.logging.Logger;

/**
 * Who an employee is in a CRM: as configured ({@code callbridge.crm.<crm>.users.<user>}), and for an extension without a user
 * as the CRM itself says by its route {@code deliver-<crm>-users}, a JSON object of extension to user. It is asked again as long
 * as it sets the variable {@code page}, {@code 0} at first, to another one. What the CRM said last is kept: a failed answer
 * changes nothing, and one that leaves out what was known takes nothing away.
 */
@ApplicationScoped
@Named("crmUsers")
@RegisterForReflection
public class CrmUsers {

    private static final Logger LOG = Logger.getLogger(CrmUsers.class);
    private static final String KEPT = "users";
    private static final TypeReference<TreeMap<String, String>> USERS = new TypeReference<>() {
    };

    private final CrmCapabilities capabilities;
    private final Memory memory;
    private final Settings settings;
    private final ObjectMapper json;
    private final Map<String, Map<String, String>> said = new ConcurrentHashMap<>();

    public CrmUsers(CrmCapabilities capabilities, Memory memory, Settings settings, ObjectMapper json) {
        this.capabilities = capabilities;
        this.memory = memory;
        this.settings = settings;
        this.json = json;
    }

    /**
     * @param user the configured user of the extension; {@code null}: it has none
     * @param extension {@code null}: unknown
     * @return {@code null}: this CRM knows nobody
     */
    public String of(String crm, String user, String extension) {
        return user != null ? settings.crm(crm).userOf(user) : extension == null ? null : said(crm).get(extension);
    }

    /** Some CRM knows who has this extension. */
    public boolean known(String extension) {
        return extension != null && settings.crms().stream().anyMatch(crm -> said(crm).containsKey(extension));
    }

    /** Asks the CRMs that can say it. */
    public void refresh() {
        settings.crms().stream().filter(crm -> capabilities.can(crm, CrmCapabilities.USERS)).forEach(this::refresh);
    }

    private void refresh(String crm) {
        try {
            Map<String, String> news = allPages(crm);
            Map<String, String> before = said(crm);
            Map<String, String> after = new TreeMap<>(before);
            after.putAll(news);
            if (!news.keySet().containsAll(before.keySet())) {
                LOG.warnf("CRM %s names fewer users than before (%d after %d); the others are kept", crm, news.size(), before.size());
            }
            if (!after.equals(before)) {
                memory.keep(crm, "", KEPT, json.writeValueAsString(after)).join();
                said.put(crm, after);
                LOG.infof("CRM %s names the users of %d extensions", crm, after.size());
            }
        } catch (Exception e) {
            LOG.warnf("CRM %s does not say who its users are, the %d known ones stay: %s", crm, said(crm).size(), CrmAnswer.said(e));
        }
    }

    /** Of one that fails the others count for nothing. */
    private Map<String, String> allPages(String crm) throws Exception {
        Map<String, String> users = new TreeMap<>();
        String page = null;
        for (String next = "0"; next != null && !next.equals(page);) {
            page = next;
            Exchange asking = capabilities.question(crm, Delivery.CALLS, CrmCapabilities.USERS, null);
            asking.setVariable("page", page);
            CrmRequests.send(asking, "direct:deliver-" + crm + "-" + CrmCapabilities.USERS);
            users.putAll(json.readValue(asking.getMessage().getBody(String.class), USERS));
            next = asking.getVariable("page", String.class);
        }
        return users;
    }

    private Map<String, String> said(String crm) {
        return said.computeIfAbsent(crm, name -> {
            String kept = capabilities.can(name, CrmCapabilities.USERS) ? memory.recall(name, "", KEPT) : null;
            try {
                return kept == null ? Map.of() : json.readValue(kept, USERS);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("unreadable users of CRM " + name + " in the store", e);
            }
        });
    }
}
