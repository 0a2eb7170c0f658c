package io.callbridge.routes;

import io.callbridge.platform.LeaseClusterService;
import io.callbridge.support.TestConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Expression;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.builder.AdviceWith;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.BeanDefinition;
import org.apache.camel.model.ChoiceDefinition;
import org.apache.camel.model.ExpressionNode;
import org.apache.camel.model.ProcessDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.TryDefinition;
import org.apache.camel.model.language.ExpressionDefinition;
import org.apache.camel.model.language.MethodCallExpression;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.ExpressionAdapter;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.PropertyBindingSupport;
import org.apache.camel.support.ResourceHelper;

/**
 * Route files in a plain Camel context with the packaged settings, and nothing else of the
 * application: milliseconds instead of a start. A bean that is not bound and a channel that no loaded file consumes are stand-ins,
 * which keep that they were asked; what comes from outside (a request, a timer) comes in at {@code direct:<route id>}.
 */
public final class RouteHarness implements AutoCloseable {

    static final Path ROUTES = Path.of("routes");
    private static final Pattern CHANNEL = Pattern.compile("uri: \"?(direct:[a-z0-9-]+)\"?\\s");
    private static final String COMPONENT = "camel.component.";
    private static final Logger CAMEL = Logger.getLogger("org.apache.camel");

    static {
        // Routes fail here on purpose, and the tests say what must come of it.
        CAMEL.setLevel(Level.OFF);
    }

    /** What a stand-in for a bean or a channel does when it is asked; its answer is the new body, {@code null} leaves the body to the caller. */
    interface Answer {

        Object to(Exchange exchange) throws Exception;
    }

    /**
     * One thing that a route asked for.
     *
     * @param name {@code <bean>.<method>}, or the channel
     * @param variables {@code because} of a decision among them
     * @param cause the exception that is being handled, {@code null} if none is
     */
    record Step(String name, Object body, Map<String, Object> headers, Map<String, Object> variables, Throwable cause) {

        /** The step in the words of the tables: an explanation with its rule, anything else with its name. */
        @Override
        public String toString() {
            String because = name.startsWith("effects.explain") ? " " + String.valueOf(variables.get("because")).replaceFirst(" .*", "") : "";
            return name.replaceFirst("^effects\\.", "") + because;
        }
    }

    private record Template(String id, String route, Map<String, Object> parameters) {
    }

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Properties settings = TestConfig.packaged();
    private final List<Resource> files = new ArrayList<>();
    private final Set<String> channels = new TreeSet<>();
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final List<Step> steps = new CopyOnWriteArrayList<>();
    private final List<Template> templates = new ArrayList<>();
    private final Map<String, Endpoint> sources = new HashMap<>();
    private ProducerTemplate template;

    private RouteHarness() {
        StandIns.all().forEach(this::bean);
        file("shared-errors");
    }

    /** @param stems names of route files without {@code .camel.yaml}; the error routes come with any of them */
    public static RouteHarness of(String... stems) {
        RouteHarness harness = new RouteHarness();
        for (String stem : stems) {
            harness.file(stem);
        }
        return harness;
    }

    /** Adds routes that are in no file. */
    public RouteHarness text(String yaml) {
        return file(ResourceHelper.fromString("text.camel.yaml", yaml));
    }

    private RouteHarness file(String stem) {
        return file(ResourceHelper.resolveResource(context, "file:" + ROUTES.resolve(stem + ".camel.yaml")));
    }

    private RouteHarness file(Resource file) {
        files.add(file);
        return this;
    }

    public RouteHarness setting(String key, String value) {
        settings.setProperty(key, value);
        return this;
    }

    RouteHarness bean(String name, Object bean) {
        // Of two classes under one name the registry would keep both, and find the first.
        context.getRegistry().unbind(name);
        context.getRegistry().bind(name, bean);
        return this;
    }

    /** A stand-in for a channel whose name is only known when a message comes. */
    RouteHarness channel(String name) {
        channels.add("direct:" + name);
        return this;
    }

    /** Makes a route of a template. */
    RouteHarness template(String id, String route, Map<String, Object> parameters) {
        templates.add(new Template(id, route, parameters));
        return this;
    }

    /** What a stand-in is to do; its body, if it is a map, becomes variables, as the beans do with facts. */
    RouteHarness on(String name, Answer answer) {
        answers.put(name, answer);
        return this;
    }

    RouteHarness fail(String name, Exception failure) {
        return on(name, exchange -> {
            throw failure;
        });
    }

    public RouteHarness start() {
        try {
            context.disableJMX();
            // The master component looks for it when its endpoint is made; nobody asks for a lease.
            context.addService(new LeaseClusterService(null, null));
            // Camel Quarkus brings the settings of the class path too; these count.
            context.getPropertiesComponent().setOverrideProperties(settings);
            configureComponents();
            PluginHelper.getRoutesLoader(context).loadRoutes(files);
            for (Template template : templates) {
                context.addRouteFromTemplate(template.route, template.id, template.parameters);
            }
            context.getRouteDefinitions().forEach(route -> takeOverBeans(route.getOutputs(), parameters(route)));
            context.getRouteConfigurationDefinitions().forEach(errors -> errors.getOnExceptions()
                    .forEach(failure -> takeOverBeans(failure.getOutputs(), Map.of())));
            takeOverSources();
            context.addRoutes(standInsFor(openChannels()));
            context.start();
            context.getRoutes().forEach(route -> Logger.getLogger(route.getRouteId()).setLevel(Level.OFF));
            template = context.createProducerTemplate();
            return this;
        } catch (Exception e) {
            close();
            throw new IllegalStateException(e);
        }
    }

    /** What Camel Main does with {@code camel.component.*}. */
    private void configureComponents() {
        settings.stringPropertyNames().stream().filter(key -> key.startsWith(COMPONENT)).forEach(key -> {
            String[] component = key.substring(COMPONENT.length()).split("\\.", 2);
            PropertyBindingSupport.build().withCamelContext(context).withTarget(context.getComponent(component[0]))
                    .withProperty(component[1], settings.getProperty(key)).bind();
        });
    }

    /** In the model, before Camel looks for the beans. */
    private void takeOverBeans(List<ProcessorDefinition<?>> steps, Map<String, Object> parameters) {
        for (int i = 0; i < steps.size(); i++) {
            ProcessorDefinition<?> step = steps.get(i);
            if (step instanceof BeanDefinition bean && !bound(resolved(bean.getRef(), parameters))) {
                String name = name(resolved(bean.getRef(), parameters), resolved(bean.getMethod(), parameters));
                ProcessDefinition standIn = new ProcessDefinition(exchange -> {
                    Object answer = asked(name, exchange);
                    if (answer != null) {
                        exchange.getMessage().setBody(answer);
                    }
                    Facts.put(exchange);
                });
                standIn.setParent(step.getParent());
                steps.set(i, standIn);
            } else if (step instanceof ChoiceDefinition choice) {
                choice.getWhenClauses().forEach(when -> takeOverBeans(when.getOutputs(), parameters));
                if (choice.getOtherwise() != null) {
                    takeOverBeans(choice.getOtherwise().getOutputs(), parameters);
                }
            } else {
                if (step instanceof TryDefinition attempt && attempt.getFinallyClause() != null) {
                    takeOverBeans(attempt.getFinallyClause().getOutputs(), parameters);
                }
                if (step instanceof ExpressionNode node && node.getExpression() instanceof MethodCallExpression call && !bound(call.getRef())) {
                    node.setExpression(new ExpressionDefinition((Expression) new ExpressionAdapter() {
                        @Override
                        public Object evaluate(Exchange exchange) {
                            try {
                                return asked(name(call.getRef(), call.getMethod()), exchange);
                            } catch (Exception e) {
                                throw RuntimeCamelException.wrapRuntimeException(e);
                            }
                        }
                    }));
                }
                takeOverBeans(step.getOutputs(), parameters);
            }
        }
    }

    private static Map<String, Object> parameters(RouteDefinition route) {
        return route.getTemplateParameters() == null ? Map.of() : route.getTemplateParameters();
    }

    private static String resolved(String text, Map<String, Object> parameters) {
        String resolved = text;
        for (Map.Entry<String, Object> parameter : parameters.entrySet()) {
            resolved = resolved == null ? null : resolved.replace("{{" + parameter.getKey() + "}}", parameter.getValue().toString());
        }
        return resolved;
    }

    private boolean bound(String bean) {
        return context.getRegistry().lookupByName(bean) != null;
    }

    private static String name(String bean, String method) {
        return method == null ? bean : bean + "." + method.replaceFirst("\\(.*", "");
    }

    private void takeOverSources() throws Exception {
        for (RouteDefinition route : List.copyOf(context.getRouteDefinitions())) {
            String uri = route.getInput().getEndpointUri();
            if (!uri.startsWith("direct:")) {
                uri = resolved(uri, parameters(route));
                sources.put(route.getId(), context.getEndpoint(context.resolvePropertyPlaceholders(uri)));
                AdviceWith.adviceWith(context, route.getId(), false, advice -> advice.replaceFromWith("direct:" + route.getId()));
            }
        }
    }

    private Set<String> openChannels() throws IOException {
        Set<String> open = new TreeSet<>(channels);
        for (Resource file : files) {
            String text = new String(file.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            CHANNEL.matcher(text).results().forEach(channel -> open.add(channel.group(1)));
        }
        // A channel is named after the route that takes it, that of a template by its parameters.
        context.getRouteDefinitions().forEach(route -> open.removeAll(List.of(route.getInput().getEndpointUri(), "direct:" + route.getRouteId())));
        return open;
    }

    private RouteBuilder standInsFor(Set<String> open) {
        return new RouteBuilder(context) {
            @Override
            public void configure() {
                errorHandler(noErrorHandler());
                open.forEach(channel -> from(channel).process(exchange -> {
                    Object answer = asked(channel, exchange);
                    if (answer != null) {
                        exchange.getMessage().setBody(answer);
                    }
                }));
            }
        };
    }

    private Object asked(String name, Exchange exchange) throws Exception {
        steps.add(new Step(name, exchange.getMessage().getBody(), new HashMap<>(exchange.getMessage().getHeaders()),
                new HashMap<>(exchange.getVariables()), exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)));
        return answers.containsKey(name) ? answers.get(name).to(exchange) : null;
    }

    /** Sends a message into a route and forgets what was asked for before; a map is taken for facts. */
    Exchange send(String route, Object body) {
        return send(route, (Processor) exchange -> {
            exchange.getMessage().setBody(body);
            Facts.put(exchange);
        });
    }

    /** Like {@link #send(String, Object)}, for a message with more than a body. */
    Exchange send(String route, Processor message) {
        return send(route, ExchangePattern.InOnly, message);
    }

    /** Like {@link #send(String, Object)}, for a request with headers whose sender waits for an answer. */
    Exchange ask(String route, Object body, Map<String, Object> headers) {
        return send(route, ExchangePattern.InOut, exchange -> {
            exchange.getMessage().setBody(body);
            exchange.getMessage().setHeaders(new HashMap<>(headers));
        });
    }

    private Exchange send(String route, ExchangePattern pattern, Processor message) {
        steps.clear();
        return template.send("direct:" + route, pattern, message);
    }

    /** Sends a message while another is on its way: nothing is forgotten. */
    Exchange sendMore(String route, Processor message, ExchangePattern pattern) {
        return template.send("direct:" + route, pattern, message);
    }

    /** What the last message made the routes ask for. */
    List<Step> steps() {
        return List.copyOf(steps);
    }

    /** The same in the words of the tables, without what only tells facts. */
    List<String> asked() {
        return steps.stream().map(Step::toString).filter(step -> !step.matches("\\w+Facts(\\..*)?|callLoader\\.look")).toList();
    }

    Step step(String name) {
        List<Step> found = steps.stream().filter(step -> step.name().equals(name)).toList();
        if (found.size() != 1) {
            throw new AssertionError(name + " was asked " + found.size() + " times: " + asked());
        }
        return found.get(0);
    }

    /** Where a route really reads from. */
    <T extends Endpoint> T source(String route, Class<T> kind) {
        return kind.cast(sources.get(route));
    }

    /** Ids of the routes that run, stand-ins left out. */
    public Set<String> running() {
        return context.getRoutes().stream().map(route -> route.getRouteId()).filter(id -> !id.startsWith("route") && !id.equals("shared-refusal"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    static List<String> stems() {
        try (Stream<Path> files = Files.list(ROUTES)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".camel.yaml"))
                    .map(name -> name.replace(".camel.yaml", "")).sorted().toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        context.stop();
    }
}
