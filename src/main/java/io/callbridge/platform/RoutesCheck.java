package io.callbridge.platform;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.camel.RouteConfigurationsBuilder;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteDefinitionHelper;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;

/** Loads and builds routes as a start does, but goes on after a mistake, and starts nothing. */
final class RoutesCheck {

    private final ModelCamelContext context;
    private final SortedSet<Problem> problems = new TreeSet<>();
    /** What is missing only because its file, or its route, is broken. */
    private final Set<String> broken = new HashSet<>();
    private final List<RouteDefinition> definitions = new ArrayList<>();
    private final RouteInspector inspector;

    /** @param context initialised, without routes */
    RoutesCheck(ModelCamelContext context) {
        this.context = context;
        inspector = RouteInspector.of(context, problems::add);
    }

    SortedSet<Problem> problems() {
        return problems;
    }

    int routes() {
        return inspector.routes().size();
    }

    /** In the order of Camel: what routes share, then the routes, then those that Java makes of templates. */
    void load(Collection<Resource> files) {
        List<RouteFile.Entry> entries = new ArrayList<>();
        RouteVariables variables = new RouteVariables();
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
        problems.addAll(variables.problems());
        entries.stream().filter(RouteFile.Entry::isConfiguration).forEach(this::load);
        entries.stream().filter(entry -> !entry.isConfiguration()).forEach(this::load);
        try {
            for (RoutesBuilder made : context.getRegistry().findByType(RoutesBuilder.class)) {
                context.addRoutes(made);
                context.addTemplatedRoutes(made);
            }
        } catch (Exception e) {
            problems.add(Problem.of(null, 0, e));
        }
    }

    private void load(RouteFile.Entry entry) {
        String text = entry.text();
        boolean again = true;
        while (again) {
            try {
                add(entry);
                again = false;
            } catch (Exception e) {
                Problem problem = Problem.of(entry.location(), entry.line(), e);
                problems.add(problem);
                again = entry.withoutStepAt(problem.line());
                if (!again) {
                    broken.addAll(RouteFile.names(text));
                }
            }
        }
    }

    private void add(RouteFile.Entry entry) throws Exception {
        for (RoutesBuilder builder : PluginHelper.getRoutesLoader(context).findRoutesBuilders(entry.resource())) {
            if (entry.isConfiguration()) {
                context.addRoutesConfigurations((RouteConfigurationsBuilder) builder);
            } else {
                context.addRoutes(builder);
                context.addTemplatedRoutes(builder);
                // A second route of the same id drives the first one out of the context.
                definitions.addAll(((RouteBuilder) builder).getRouteCollection().getRoutes());
            }
        }
    }

    /** Each alone, so that one that cannot be built hides no other. */
    void build() {
        List<RouteDefinition> all = new ArrayList<>(definitions);
        context.getRouteDefinitions().stream().filter(made -> !definitions.contains(made)).forEach(all::add);
        for (RouteDefinition route : all) {
            String id = RouteDefinitionHelper.validateUniqueIds(route, all, route.getNodePrefixId());
            if (id != null) {
                problems.add(Problem.at(route, "id " + id + " is there more than once; allowed: one of its own for each route and step"));
            }
        }
        // Of one that has an id twice in itself Camel would say no more than that.
        all.stream().filter(route -> RouteDefinitionHelper.validateUniqueIds(route, List.of(route)) == null).forEach(this::build);
    }

    private void build(RouteDefinition route) {
        if (!builds(route) && inspector.routes().stream().noneMatch(begun -> begun.getRoute() == route)) {
            // What it begins with is wrong: with something else its steps are looked at, too.
            broken.addAll(List.of(String.valueOf(route.getGroup()), route.getInput().getEndpointUri().replaceFirst("\\?.*", "")));
            route.getInput().setUri("direct:" + route.getRouteId());
            builds(route);
        }
    }

    private boolean builds(RouteDefinition route) {
        try {
            context.startRouteDefinitions(List.of(route));
            return true;
        } catch (Exception e) {
            problems.add(Problem.at(route.getInput(), e));
            return false;
        }
    }

    /** What must be there beside it. */
    void complete(List<String> crms, String location) {
        MissingRoutes.problems(inspector.routes(), context, crms, location, broken).forEach(problems::add);
        problems.removeIf(problem -> broken.stream().anyMatch(name -> problem.text().startsWith(RouteInspector.NO_CONFIGURATION + name + " ")));
    }
}
