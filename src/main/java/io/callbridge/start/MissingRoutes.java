package io.callbridge.start;

import io.callbridge.platform.Problem;
import io.callbridge.store.Delivery;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.Endpoint;
import org.apache.camel.Route;
import org.apache.camel.model.EndpointRequiredDefinition;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;

/** Routes that each are right, and yet are not enough: of no stage a route may be missing, nor at the end of any channel. */
final class MissingRoutes {

    static final List<String> STAGES = List.of("ingest", "process", "deliver", "ops");

    private MissingRoutes() {
    }

    /**
     * @param location where the routes are loaded from
     * @param broken stages and channels of routes that are there, but cannot be loaded
     */
    static List<Problem> problems(Collection<Route> routes, ModelCamelContext context, List<String> crms, String location,
            Set<String> broken) {
        if (routes.isEmpty() && broken.isEmpty()) {
            return List.of(new Problem(null, 0, "no route loaded from " + location + "; needed are files <stage>-<subject>.camel.yaml"));
        }
        List<Problem> problems = new ArrayList<>();
        for (String stage : STAGES) {
            if (!broken.contains(stage) && routes.stream().noneMatch(route -> stage.equals(group(route, context)))) {
                problems.add(new Problem(null, 0, "no route of stage " + stage + " loaded from " + location
                        + "; needed is at least one with group: " + stage));
            }
        }
        Map<String, String> open = channels(routes.stream().map(Route::getEndpoint).toList(), context.getEndpoints(), crms);
        open.keySet().removeAll(broken);
        open.forEach((channel, sender) -> problems.add(channel(channel, sender, context.getRouteDefinitions())));
        return problems;
    }

    /** Of a route of a template, which has none itself, that of its definition; Camel may have let go of it after the start. */
    private static String group(Route route, ModelCamelContext context) {
        RouteDefinition definition = context.getRouteDefinition(route.getRouteId());
        return definition != null ? definition.getGroup() : route.getGroup();
    }

    /**
     * Every {@code direct:} that Java or a route sends to has a route that takes it. Parameters do not count: both ends may
     * have their own.
     *
     * @param consumed endpoints that routes begin with
     * @param used all endpoints
     * @return the channels that no route takes, and who sends to each
     */
    static Map<String, String> channels(Collection<Endpoint> consumed, Collection<Endpoint> used, List<String> crms) {
        Map<String, String> senders = new LinkedHashMap<>();
        senders.put("direct:process-event", "Callbridge");
        senders.put("direct:deliver-outbox", "Callbridge");
        for (String crm : crms) {
            senders.put("direct:deliver-" + crm + "-" + Delivery.CALL, "callbridge.crm.active names " + crm + " and so");
        }
        used.forEach(endpoint -> senders.putIfAbsent(channel(endpoint), "a route"));
        Set<String> taken = consumed.stream().map(MissingRoutes::channel).collect(Collectors.toSet());
        senders.keySet().removeIf(channel -> !channel.startsWith("direct:") || taken.contains(channel));
        return senders;
    }

    private static Problem channel(String channel, String sender, List<RouteDefinition> routes) {
        String text = sender + " sends to " + channel + ", but no route consumes it; needed is a route whose from has that uri";
        for (RouteDefinition route : routes) {
            for (ProcessorDefinition<?> step : ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), ProcessorDefinition.class)) {
                if (step instanceof EndpointRequiredDefinition to && to.getEndpointUri() != null
                        && to.getEndpointUri().replaceFirst("\\?.*", "").equals(channel)) {
                    return Problem.at(step, text);
                }
            }
        }
        return new Problem(null, 0, text);
    }

    private static String channel(Endpoint endpoint) {
        return endpoint.getEndpointBaseUri().replace("://", ":");
    }
}
