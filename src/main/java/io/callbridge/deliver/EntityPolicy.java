package io.callbridge.deliver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.platform.Settings;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * Which of several entities with one number is meant: a company's switchboard and a family share one. The setting is
 * {@code callbridge.crm.<crm>.several-entities}: {@code first}, as the CRM orders them; {@code owner}, the first for which
 * the employee of the call is responsible; {@code most-recent}, by its {@code updatedAt}.
 */
@ApplicationScoped
class EntityPolicy {

    private static final Logger LOG = Logger.getLogger(EntityPolicy.class);

    private final Settings settings;

    EntityPolicy(Settings settings) {
        this.settings = settings;
    }

    /**
     * @param found an entity or a list of them; one without an {@code id} does not count
     * @param user the employee of the call, as the CRM knows him; empty: none
     */
    Optional<JsonNode> pick(String crm, JsonNode found, String user) {
        List<ObjectNode> all = new ArrayList<>();
        (found.isArray() ? found : List.of(found)).forEach(entity -> {
            if (entity instanceof ObjectNode object && object.hasNonNull("id")) {
                object = object.deepCopy();
                object.properties().removeIf(member -> member.getValue().isNull());
                all.add(object);
            }
        });
        Optional<ObjectNode> first = all.stream().findFirst();
        Optional<ObjectNode> picked = switch (settings.crm(crm).severalEntities()) {
            case "owner" -> all.stream().filter(entity -> entity.path("responsible").asText("").equals(user)).findFirst().or(() -> first);
            case "most-recent" -> all.stream().max(Comparator.comparing(entity -> entity.path("updatedAt").asText("")));
            default -> first;
        };
        if (all.size() > 1) {
            LOG.infof("CRM %s knows %d entities with this number; %s is taken (several-entities=%s)", crm, all.size(),
                    picked.get().path("id").asText(), settings.crm(crm).severalEntities());
        }
        return picked.map(entity -> entity);
    }
}
