package io.callbridge.demo;

import io.callbridge.platform.Demo;
import io.callbridge.platform.PageFiles;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * A CRM to look at: the REST contract (contract section 3) in memory under {@code /demo-crm}, and a page that shows it
 * under {@code /demo}. It is strict, so that it also shows a mistake of the bridge: what is not in the contract is
 * answered with {@code 400} and one sentence. Where no demo was asked for, nothing of it can be reached.
 */
@ApplicationScoped
public class DemoCrm {

    private static final int MAX_BODY_BYTES = 64 * 1024;
    private static final Set<String> DIRECTIONS = Set.of("in", "out");
    private static final Set<String> RESULTS =
            Set.of("answered", "busy", "no-answer", "cancelled", "failed", "unknown");
    private static final Set<String> CARD_ENDS = Set.of("ended", "answered-elsewhere", "unanswered", "expired");
    private static final Set<String> PLACES = Set.of("ivr", "queue", "phone", "unknown");

    private final CrmMemory memory = new CrmMemory();

    void register(@Observes Router router) {
        if (Demo.asked()) {
            mount(router);
        }
    }

    void mount(Router router) {
        router.get("/demo-crm/entities").handler(DemoCrm::entity);
        router.put("/demo-crm/*").handler(BodyHandler.create(false).setBodyLimit(MAX_BODY_BYTES));
        put(router, "/demo-crm/cards/:id", DemoCrm::checkCard, memory::putCard);
        put(router, "/demo-crm/calls/:id", DemoCrm::checkCall, memory::putCall);
        put(router, "/demo-crm/missed-calls/:id", DemoCrm::checkMissedCall, memory::putMissedCall);
        router.delete("/demo-crm/cards/:id").handler(this::endCard);
        router.route("/demo-crm/*").handler(request -> refuse(request, 404,
                "nothing here for " + request.request().method() + " " + request.request().path()));
        router.route("/demo-crm/*").failureHandler(DemoCrm::failed);
        new DemoFeed(memory).mount(router);
        // What the page asks for is seen from there, whatever a proxy has in front of it.
        router.getWithRegex("/demo/").handler(request -> request.response().setStatusCode(302).putHeader("Location", "../demo").end());
        PageFiles.serve(router, "/demo", "text/html", PageFiles.text("/demo/index.html"));
        PageFiles.serve(router, "/demo/demo.css", "text/css", PageFiles.text("/demo/demo.css"));
        PageFiles.serve(router, "/demo/demo.js", "text/javascript", PageFiles.text("/demo/demo.js"));
    }

    private static void entity(RoutingContext request) {
        String phone = request.request().getParam("phone");
        if (phone == null || phone.isBlank()) {
            refuse(request, 400, "the parameter phone is missing");
            return;
        }
        DemoPeople.CONTACTS.stream().filter(contact -> contact.number().equals(phone)).findFirst().ifPresentOrElse(
                contact -> answer(request, 200, json(contact)),
                () -> refuse(request, 404, "no entity has this number"));
    }

    private static JsonObject json(DemoPeople.Contact contact) {
        JsonObject entity = new JsonObject()
                .put("id", contact.id())
                .put("type", contact.type())
                .put("name", contact.name())
                .put("url", contact.url());
        if (contact.responsible() != null) {
            entity.put("responsible", contact.responsible());
        }
        return entity;
    }

    private static void put(Router router, String path, Consumer<JsonObject> check,
            BiConsumer<String, JsonObject> store) {
        router.put(path).handler(request -> {
            JsonObject body = body(request.body().buffer());
            check.accept(body);
            store.accept(request.pathParam("id"), body);
            request.response().setStatusCode(204).end();
        });
    }

    private void endCard(RoutingContext request) {
        String reason = request.request().getParam("reason");
        String answeredBy = request.request().getParam("answeredBy");
        oneOf("reason", reason, CARD_ENDS);
        if (answeredBy != null && !reason.equals("answered-elsewhere")) {
            throw new NotInContract("answeredBy goes with the reason answered-elsewhere only");
        }
        memory.endCard(request.pathParam("id"), reason, answeredBy);
        request.response().setStatusCode(204).end();
    }

    private static JsonObject body(Buffer buffer) {
        try {
            Object value = buffer == null ? null : buffer.toJson();
            if (value instanceof JsonObject object) {
                return object;
            }
        } catch (DecodeException malformed) {
            throw new NotInContract("the body is not JSON");
        }
        throw new NotInContract("the body is not a JSON object");
    }

    private static void checkCard(JsonObject card) {
        noNulls(card);
        texts(card, "callId", "user", "extension");
        oneOf("direction", card.getValue("direction"), DIRECTIONS);
        time(card, "at");
        entity(card);
    }

    private static void checkCall(JsonObject call) {
        noNulls(call);
        texts(call, "callId", "user", "extension");
        oneOf("direction", call.getValue("direction"), DIRECTIONS);
        oneOf("result", call.getValue("result"), RESULTS);
        time(call, "startedAt");
        time(call, "endedAt");
        if (call.containsKey("answeredAt")) {
            time(call, "answeredAt");
        }
        if (!(call.getValue("talkSeconds") instanceof Number seconds) || seconds.longValue() < 0) {
            throw new NotInContract("talkSeconds is missing or not a number of zero or more");
        }
        entity(call);
    }

    private static void checkMissedCall(JsonObject missedCall) {
        noNulls(missedCall);
        if (!(missedCall.getValue("place") instanceof JsonObject place)) {
            throw new NotInContract("place is missing or not an object");
        }
        oneOf("place.type", place.getValue("type"), PLACES);
        time(missedCall, "startedAt");
        time(missedCall, "endedAt");
        if (missedCall.containsKey("servedAt")) {
            time(missedCall, "servedAt");
        }
        entity(missedCall);
    }

    /** "Absent values are left out, never null." */
    private static void noNulls(JsonObject body) {
        for (Map.Entry<String, Object> member : body) {
            if (member.getValue() == null) {
                throw new NotInContract(member.getKey() + " is null; an absent value is left out");
            }
            if (member.getValue() instanceof JsonObject inner) {
                noNulls(inner);
            }
        }
    }

    private static void texts(JsonObject body, String... names) {
        for (String name : names) {
            if (!(body.getValue(name) instanceof String text) || text.isBlank()) {
                throw new NotInContract(name + " is missing or not a text");
            }
        }
    }

    private static void oneOf(String name, Object value, Set<String> allowed) {
        if (!(value instanceof String text) || !allowed.contains(text)) {
            throw new NotInContract(name + " must be one of " + String.join(", ", allowed.stream().sorted().toList()));
        }
    }

    private static void time(JsonObject body, String name) {
        try {
            if (body.getValue(name) instanceof String text) {
                Instant.parse(text);
                return;
            }
        } catch (DateTimeException unreadable) {
            throw new NotInContract(name + " is not an ISO-8601 time in UTC");
        }
        throw new NotInContract(name + " is missing or not a text");
    }

    private static void entity(JsonObject body) {
        Object entity = body.getValue("entity");
        if (entity == null) {
            return;
        }
        if (!(entity instanceof JsonObject object)) {
            throw new NotInContract("entity is not an object");
        }
        texts(object, "id");
    }

    private static void failed(RoutingContext request) {
        if (request.failure() instanceof NotInContract problem) {
            refuse(request, 400, problem.getMessage());
        } else if (request.statusCode() == 413) {
            refuse(request, 413, "the body is larger than " + MAX_BODY_BYTES + " bytes");
        } else {
            // Malformed percent-encoding among others: the server's own answer and log entry serve.
            request.next();
        }
    }

    private static void refuse(RoutingContext request, int status, String reason) {
        answer(request, status, new JsonObject().put("error", reason));
    }

    private static void answer(RoutingContext request, int status, JsonObject content) {
        request.response().setStatusCode(status)
                .putHeader("Content-Type", "application/json")
                .end(content.toBuffer());
    }

    /** The request is not one of contract section 3; the message is the sentence that the sender gets. */
    private static final class NotInContract extends RuntimeException {
        NotInContract(String message) {
            super(message, null, false, false);
        }
    }
}
