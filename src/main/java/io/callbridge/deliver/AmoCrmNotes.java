package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** The note that a call has become whose answer got lost: at a lead, a contact or a company, as amoCRM chose. */
@ApplicationScoped
@Named("amoCrmNotes")
@RegisterForReflection
public class AmoCrmNotes {

    private static final List<String> TYPES = List.of("leads", "contacts", "companies");

    private final JsonAnswer answers;

    public AmoCrmNotes(JsonAnswer answers) {
        this.answers = answers;
    }

    /**
     * The variable {@code noted}: its path, or empty. The route {@code deliver-amocrm-notes} asks for a page, which the variables
     * {@code type} and {@code page} name.
     */
    public void find(@Variable("key") String uniq, Exchange exchange) throws Exception {
        exchange.setVariable("noted", "");
        for (String type : TYPES) {
            boolean more = true;
            for (int page = 1; more; page++) {
                exchange.setVariable("type", type);
                exchange.setVariable("page", page);
                CrmRequests.send(exchange, "direct:deliver-amocrm-notes");
                Object answer = exchange.getMessage().getBody();
                Collection<?> notes = (Collection<?>) JsonAnswer.at(answer, "_embedded.notes");
                if (answers.first(notes, "params.uniq", uniq) instanceof Map<?, ?> note) {
                    exchange.setVariable("noted", type + "/" + note.get("entity_id") + "/notes/" + note.get("id"));
                    return;
                }
                more = JsonAnswer.at(answer, "_links.next") != null;
            }
        }
    }
}
