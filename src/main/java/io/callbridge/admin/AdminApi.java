package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.store.StoreException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.jboss.logging.Logger;

/**
 * The administration API (contract section 4): what can be asked for, and who answers it. Whoever asks has passed the
 * {@link AdminGate}. What is in none of the records is not there, instead of {@code null}.
 */
@ApplicationScoped
class AdminApi {

    private static final Logger LOG = Logger.getLogger(AdminApi.class);

    private final ObjectMapper json;

    /** @return what is answered as JSON; {@code null}: there is nothing */
    interface Answer {
        Object to(AdminRequest request) throws JsonProcessingException;
    }

    AdminApi(ObjectMapper json) {
        this.json = json;
    }

    void register(@Observes Router router, Status status, Setup setup, CallList calls, Explanation explanation, Deliveries deliveries,
            ReprocessRequest reprocess, Audit audit) {
        on(router, "GET /api/status", status::of);
        on(router, "GET /api/setup", setup::of);
        on(router, "POST /api/setup/pbxs/:pbx/webhook", setup::webhook);
        on(router, "POST /api/setup/crms/:crm/check", setup::check);
        on(router, "GET /api/calls", calls::page);
        on(router, "GET /api/calls/:callId", explanation::of);
        on(router, "POST /api/calls/reprocess", reprocess::begin);
        on(router, "GET /api/calls/reprocess/:job", reprocess::job);
        on(router, "DELETE /api/calls/reprocess/:job", reprocess::stop);
        on(router, "GET /api/deliveries", deliveries::page);
        on(router, "GET /api/deliveries/:id", deliveries::one);
        on(router, "POST /api/deliveries/:id/retry", deliveries::retry);
        on(router, "POST /api/deliveries/:id/discard", deliveries::discard);
        on(router, "POST /api/deliveries/retry", deliveries::retryAll);
        on(router, "POST /api/deliveries/discard", deliveries::discardAll);
        on(router, "GET /api/audit", audit::page);
    }

    void on(Router router, String request, Answer answer) {
        String[] words = request.split(" ");
        router.route(HttpMethod.valueOf(words[0]), words[1]).blockingHandler(routing -> answer(routing, answer), false);
    }

    /** Who asks is told what he asked for wrongly, or that the store does not answer; a mistake of ours is said in the log only. */
    private void answer(RoutingContext routing, Answer answer) {
        HttpServerResponse response = routing.response();
        try {
            Object found = answer.to(new AdminRequest(routing));
            if (found == null) {
                response.setStatusCode(404).end();
            } else {
                String text = json.writeValueAsString(found);
                response.putHeader("Content-Type", "application/json").end(text);
            }
        } catch (RefusedException e) {
            refuse(response, e.status(), e);
        } catch (StoreException e) {
            refuse(response.putHeader("Retry-After", "5"), 503, e);
        } catch (JsonProcessingException | RuntimeException e) {
            LOG.errorf(e, "%s %s cannot be answered", routing.request().method(), routing.currentRoute().getPath());
            response.setStatusCode(500).end();
        }
    }

    private static void refuse(HttpServerResponse response, int status, Exception reason) {
        response.setStatusCode(status).putHeader("Content-Type", "text/plain").end(reason.getMessage());
    }
}
