package io.callbridge.start;

import io.callbridge.platform.Problem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.RouteConfigurationsBuilder;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteDefinitionHelper;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;

/** Loads and builds routes as a start does, but goes on after a mistake with the next route, and starts nothing. */
final class RoutesCheck {

    private final ModelCamelContext context;
    private final List<String> crms;
    private final String location;
    private final SortedSet<Problem> problems = new TreeSet<>();
    /** What is missing only because its file, or its route, is broken. */
    private final Set<String> broken = new HashSet<>();
    private final List<RouteDefinition> definitions = new ArrayList<>();
    private final RouteVariables variables = new RouteVariables();
    private final RouteInspector inspector;

    /**
     * @param context initialised, without routes
     * @param location where the routes are loaded from
     */
    RoutesCheck(ModelCamelContext context, List<String> crms, String location) {
        this.context = context;
        this.crms = crms;
        this.location = location;
        inspector = RouteInspector.of(context);
    }

    SortedSet<Problem> problems() {
        problems.addAll(variables.problems());
        problems.removeIf(problem -> broken.stream().anyMatch(
                name -> problem.text().startsWith(RouteInspector.NO_CONFIGURATION + name + " ")));
        return problems;
    }

    int routes() {
        return inspector.routes().size();
    }

    /**
     * In the order of Camel: what routes share, then the routes, then those of templates. What is there already may be used, too.
     *
     * @param templates makes routes of those that are loaded
     */
    void check(Collection<Resource> files, Consumer<CamelContext> templates) {
        List<RouteFile.Entry> entries = new ArrayList<>();
        for (Resource file : files) {
            String text = "";
            try {
                text = RouteFile.text(file);
                variables.add(file.getLocation(), text);
                entries.addAll(RouteFile.entries(file.getLocation(), text));
            } catch (Exception e) {
                problems.add(Problem.of(file.getLocation(), 0, e));
                broken.addAll(RouteFile.names(text));
            }
        }
        entries.stream().filter(RouteFile.Entry::isConfiguration).forEach(entry -> load(entry, Map.of()));
        // Each may be of a template in another file.
        Map<RouteFile.Entry, RoutesBuilder> made = new LinkedHashMap<>();
        entries.stream().filter(entry -> !entry.isConfiguration()).forEach(entry -> load(entry, made));
        made.forEach(this::make);
        try {
            templates.accept(context);
        } catch (Exception e) {
            problems.add(Problem.of(null, 0, e));
        }
        build();
        problems.addAll(MissingRoutes.problems(inspector.routes(), context, crms, location, broken));
    }

    private void load(RouteFile.Entry entry, Map<RouteFile.Entry, RoutesBuilder> templated) {
        try {
            for (RoutesBuilder builder : PluginHelper.getRoutesLoader(context).findRoutesBuilders(entry.resource())) {
                if (entry.isConfiguration()) {
                    context.addRoutesConfigurations((RouteConfigurationsBuilder) builder);
                } else {
                    context.addRoutes(builder);
                    templated.put(entry, builder);
                    // A second route of the same id drives the first one out of the context.
                    definitions.addAll(((RouteBuilder) builder).getRouteCollection().getRoutes());
                }
            }
        } catch (Exception e) {
            problems.add(Problem.of(entry.location(), entry.line(), e));
            broken.addAll(RouteFile.names(entry.text()));
        }
    }

    private void make(RouteFile.Entry entry, RoutesBuilder builder) {
        try {
            context.addTemplatedRoutes(builder);
        } catch (Exception e) {
            problems.add(Problem.of(entry.location(), entry.line(), e));
            broken.addAll(RouteFile.names(entry.text()));
        }
    }

    /** Each alone, so that one that cannot be built hides no other. */
    private void build() {
        List<RouteDefinition> all = new ArrayList<>(definitions);
        context.getRouteDefinitions().stream().filter(made -> !definitions.contains(made)).forEach(all::add);
        for (RouteDefinition route : all) {
            String id = RouteDefinitionHelper.validateUniqueIds(route, all, route.getNodePrefixId());
            if (id != null) {
                problems.add(Problem.at(route, "id " + id + " is there more than once; allowed: one of its own for each route and step"));
            }
        }
        // Of one that has an id twice in itself Camel would say no more than that.
        all.stream().filter(route -> RouteDefinitionHelper.validateUniqueIds(route, List.of(route)) == null && !begun(route))
                .forEach(this::build);
    }

    private boolean begun(RouteDefinition route) {
        return inspector.routes().stream().anyMatch(begun -> begun.getRoute() == route);
    }

    private void build(RouteDefinition route) {
        try {
            context.startRouteDefinitions(List.of(route));
        } catch (Exception e) {
            problems.add(Problem.at(route.getInput(), e));
            if (!begun(route)) {
                broken.addAll(List.of(String.valueOf(route.getGroup()), route.getInput().getEndpointUri().replaceFirst("\\?.*", "")));
            }
        }
    }
}
