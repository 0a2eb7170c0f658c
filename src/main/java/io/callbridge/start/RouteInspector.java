package io.callbridge.start;

import io.callbridge.platform.Problem;
import io.callbridge.platform.StartException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.component.bean.BeanInfo;
import org.apache.camel.model.BeanDefinition;
import org.apache.camel.model.CatchDefinition;
import org.apache.camel.model.ChoiceDefinition;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SetBodyDefinition;
import org.apache.camel.model.SetHeaderDefinition;
import org.apache.camel.model.SetVariableDefinition;
import org.apache.camel.model.WhenDefinition;
import org.apache.camel.model.language.ConstantExpression;
import org.apache.camel.processor.DefaultProcessorFactory;
import org.apache.camel.reifier.ProcessorReifier;
import org.apache.camel.spi.ProcessorFactory;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.PatternHelper;
import org.apache.camel.support.ResourceHelper;

/**
 * Looks on while Camel builds the routes, step by step: it alone knows which step it is that cannot be built, and so the file
 * and the line.
 */
final class RouteInspector extends DefaultProcessorFactory {

    static final String NO_CONFIGURATION = "routeConfigurationId ";

    private final CamelContext context;
    private final List<Route> routes = new ArrayList<>();

    private RouteInspector(CamelContext context) {
        this.context = context;
    }

    static RouteInspector of(CamelContext context) {
        RouteInspector inspector = new RouteInspector(context);
        context.getCamelContextExtension().addContextPlugin(ProcessorFactory.class, inspector);
        context.addLifecycleStrategy(new LifecycleStrategySupport() {
            @Override
            public void onRouteContextCreate(Route route) {
                inspector.routes.add(route);
                inspector.look((RouteDefinition) route.getRoute());
            }
        });
        return inspector;
    }

    /** All that were begun, with their mistakes. */
    List<Route> routes() {
        return routes;
    }

    /** What Camel would ignore, or say without the place. */
    private void look(RouteDefinition route) {
        for (String id : route.getRouteConfigurationId() == null ? new String[0] : route.getRouteConfigurationId().split(",")) {
            if (!id.contains("*") && !id.contains("{{") && (route.getAppliedRouteConfigurationIds() == null
                    || route.getAppliedRouteConfigurationIds().stream().noneMatch(applied -> PatternHelper.matchPattern(applied, id)))) {
                throw new StartException(Problem.at(route, NO_CONFIGURATION + id
                        + " does not exist; allowed: the id of a routeConfiguration"));
            }
        }
        for (ProcessorDefinition<?> output : route.getOutputs()) {
            if (output instanceof OnExceptionDefinition handler) {
                checkExceptions(handler);
            }
        }
    }

    private void checkExceptions(OnExceptionDefinition handler) {
        for (String name : handler.getExceptions()) {
            if (!name.contains("{{") && context.getClassResolver().resolveClass(name) == null) {
                throw new StartException(Problem.at(handler, "exception " + name
                        + " does not exist; allowed: the full name of an exception class of Callbridge, Camel or Java"));
            }
        }
    }

    @Override
    public Processor createProcessor(Route route, NamedNode step) throws Exception {
        Processor special = super.createProcessor(route, step);
        return special != null ? special : build(route, (ProcessorDefinition<?>) step);
    }

    private Processor build(Route route, ProcessorDefinition<?> step) {
        if (step instanceof BeanDefinition bean) {
            checkMethod(bean);
            checkConstants(bean);
        }
        try {
            return ProcessorReifier.reifier(route, step).createProcessor();
        } catch (StartException named) {
            throw named;
        } catch (Exception e) {
            checkConditions(step);
            throw new StartException(Problem.of(step.getLocation(), line(step), e));
        }
    }

    private void checkConditions(ProcessorDefinition<?> step) {
        for (WhenDefinition branch : step instanceof ChoiceDefinition choice ? choice.getWhenClauses() : List.<WhenDefinition>of()) {
            try {
                branch.getExpression().createPredicate(context);
            } catch (Exception e) {
                // As in line().
                throw new StartException(Problem.of(branch.getLocation(), branch.getLineNumber() + 1, e));
            }
        }
    }

    /** Camel would name the class behind the bean, and none of its methods. */
    private void checkMethod(BeanDefinition step) {
        Object bean = step.getRef() == null ? null : context.getRegistry().lookupByName(step.getRef());
        String method = step.getMethod();
        if (bean == null || method == null || !method.matches("\\w+")) {
            return;
        }
        BeanInfo known = new BeanInfo(context, bean.getClass());
        if (!known.hasMethod(method)) {
            String allowed = known.getMethods().stream().map(there -> there.getMethod().getName()).distinct().collect(Collectors.joining(", "));
            throw new StartException(new Problem(Problem.file(step.getLocation()), line(step),
                    "bean " + step.getRef() + " has no method " + method + "; allowed: " + allowed));
        }
    }

    /** What another setBody makes may be somebody else's text: jsonTemplate would refuse it with every call. */
    private void checkConstants(BeanDefinition step) {
        List<ProcessorDefinition<?>> before = step.getParent().getOutputs();
        int at = "jsonTemplate".equals(step.getRef()) ? before.indexOf(step) - 1 : -1;
        while (at >= 0 && (before.get(at) instanceof SetHeaderDefinition || before.get(at) instanceof SetVariableDefinition)) {
            at--;
        }
        if (at >= 0 && before.get(at) instanceof SetBodyDefinition body && !(body.getExpression() instanceof ConstantExpression)) {
            throw new StartException(new Problem(Problem.file(step.getLocation()), line(step),
                    "bean jsonTemplate evaluates the body, which the setBody before it makes of values; allowed: setBody with a constant"));
        }
    }

    /** Camel takes the line before for that of a branch, and of a step in braces, {@code - to: {uri: x}}. */
    private int line(ProcessorDefinition<?> step) {
        int line = step.getLineNumber();
        if (step instanceof CatchDefinition) {
            return line + 1;
        }
        if (line < 1 || step.getLocation() == null) {
            return 0;
        }
        try {
            String[] lines = RouteFile.text(ResourceHelper.resolveMandatoryResource(context, step.getLocation())).split("\\R", -1);
            boolean before = line < lines.length && !lines[line - 1].contains(step.getShortName() + ":") && lines[line].contains(step.getShortName() + ":");
            return before ? line + 1 : line;
        } catch (IOException noLongerThere) {
            return line;
        }
    }
}
