package io.callbridge.routes;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.AmoCrmNotes;
import io.callbridge.deliver.Bitrix24Call;
import io.callbridge.deliver.CrmAnswer;
import io.callbridge.deliver.DeliveryMemory;
import io.callbridge.deliver.JsonAnswer;
import io.callbridge.deliver.JsonTemplate;
import io.callbridge.deliver.OAuthToken;
import io.callbridge.deliver.RecordingFile;
import io.callbridge.store.Memory;
import io.callbridge.support.TestConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.BeanDefinition;
import org.apache.camel.model.ExpressionNode;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SendDefinition;
import org.apache.camel.model.language.MethodCallExpression;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.PropertyBindingSupport;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.util.concurrent.SynchronousExecutorService;

/**
 * Route files in a plain Camel context with the packaged settings, and nothing else of the
 * application: milliseconds instead of a start. A bean that is not bound and a channel that no loaded file consumes are stand-ins,
 * which keep that they were asked; what comes from outside (a request, a timer) comes in at {@code direct:<route id>}.
 */
public final class RouteHarness implements AutoCloseable {

    private static final Logger CAMEL = Logger.getLogger("org.apache.camel");

    static {
        // Routes fail here on purpose, and the tests say what must come of it.
        CAMEL.setLevel(Level.OFF);
    }

    /** What a stand-in for a bean or a channel does when it is asked; its answer is the new body, {@code null}: as it is. */
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
            String because = String.valueOf(variables.get("because")).replaceFirst(" .*", "");
            return name.replaceFirst("^effects\\.", "") + (name.startsWith("effects.explain") ? " " + because : "");
        }
    }

    /** What Camel finds under the name of a bean that is not bound, and behind a channel that nobody takes. */
    public final class StandIn {

        private final String name;

        private StandIn(String name) {
            this.name = name;
        }

        public void step(Exchange exchange) throws Exception {
            Object answer = asked(name, exchange);
            if (answer != null) {
                exchange.getMessage().setBody(answer);
            }
            variables(exchange);
        }

        public Object expression(Exchange exchange) throws Exception {
            return asked(name, exchange);
        }
    }

    /** Every request may go, once it has asked: no step of a test. */
    public static final class Pace {

        final AtomicInteger permits = new AtomicInteger();

        public void permit() {
            permits.incrementAndGet();
        }
    }

    private final Pace pace = new Pace();
    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Properties settings = TestConfig.packaged();
    private final List<Resource> files = new ArrayList<>();
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final List<Step> steps = new CopyOnWriteArrayList<>();
    private final Map<String, String> sources = new HashMap<>();
    private final Set<String> channels = new TreeSet<>();
    private ProducerTemplate template;

    /** @param stems names of route files without {@code .camel.yaml}; the error routes come with any of them */
    public static RouteHarness of(String... stems) {
        return of((Memory) null, stems);
    }

    static RouteHarness of(Memory remembered, String... stems) {
        RouteHarness harness = new RouteHarness();
        harness.adapterBeans(remembered).forEach(harness::bean);
        harness.file("shared-errors");
        for (String stem : stems) {
            harness.file(stem);
        }
        return harness;
    }

    private Map<String, Object> adapterBeans(Memory remembered) {
        ObjectMapper json = new ObjectMapper();
        JsonTemplate jsonTemplate = new JsonTemplate(json);
        JsonAnswer jsonAnswer = new JsonAnswer(json, jsonTemplate);
        DeliveryMemory memory = new DeliveryMemory(remembered);
        return Map.of("jsonTemplate", jsonTemplate, "jsonAnswer", jsonAnswer, "recordingFile", new RecordingFile(),
                "crmToken", new OAuthToken(null, null, jsonAnswer, json), "amoCrmNotes", new AmoCrmNotes(jsonAnswer),
                "crmAnswer", new CrmAnswer(), "crmMemory", memory, "bitrix24Call", new Bitrix24Call(memory, jsonTemplate, json),
                "crmRate", pace);
    }

    private void file(String stem) {
        files.add(ResourceHelper.resolveResource(context, "file:routes/" + stem + ".camel.yaml"));
    }

    /** Adds routes that are in no file. */
    public RouteHarness text(String yaml) {
        files.add(ResourceHelper.fromString("text.camel.yaml", yaml));
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
            // Camel Quarkus brings the settings of the class path too; these count.
            context.getPropertiesComponent().setOverrideProperties(settings);
            configureComponents();
            bean("callerThread", new SynchronousExecutorService());
            PluginHelper.getRoutesLoader(context).loadRoutes(files);
            context.getRouteDefinitions().forEach(this::takeOver);
            context.getRouteConfigurationDefinitions().forEach(errors -> errors.getOnExceptions().forEach(failure -> {
                takeOverBeans(failure.getOutputs(), Map.of());
                if (failure.getRedeliveryPolicyType() != null) {
                    failure.getRedeliveryPolicyType().setRedeliveryDelay("1");
                }
            }));
            // A channel is named after the route that takes it, that of a template by its parameters.
            context.getRouteDefinitions().forEach(route -> channels.removeAll(List.of(route.getInput().getEndpointUri(),
                    "direct:" + route.getRouteId())));
            RouteBuilder.addRoutes(context, builder -> {
                builder.errorHandler(builder.noErrorHandler());
                channels.forEach(channel -> builder.from(channel).process(new StandIn(channel)::step));
            });
            context.start();
            context.getRoutes().forEach(route -> Logger.getLogger(route.getRouteId()).setLevel(Level.OFF));
            template = context.createProducerTemplate();
            return this;
        } catch (Exception e) {
            close();
            throw new IllegalStateException(e);
        }
    }

    /** What Camel Main does, here with those of HTTP only. */
    private void configureComponents() {
        settings.stringPropertyNames().stream().filter(key -> key.startsWith("camel.component.http")).map(key -> key.split("\\.", 4))
                .forEach(key -> PropertyBindingSupport.build().withCamelContext(context).withTarget(context.getComponent(key[2]))
                        .withProperty(key[3], settings.getProperty(String.join(".", key))).bind());
    }

    /** In the model, before Camel looks for beans and listens anywhere. */
    private void takeOver(RouteDefinition route) {
        Map<String, Object> parameters = route.getTemplateParameters() == null ? Map.of() : route.getTemplateParameters();
        takeOverBeans(route.getOutputs(), parameters);
        String uri = route.getInput().getEndpointUri();
        if (!uri.startsWith("direct:")) {
            sources.put(route.getId(), resolved(uri, parameters));
            route.getInput().setUri("direct:" + route.getId());
        }
    }

    private void takeOverBeans(List<ProcessorDefinition<?>> outputs, Map<String, Object> parameters) {
        for (BeanDefinition bean : ProcessorDefinitionHelper.filterTypeInOutputs(outputs, BeanDefinition.class)) {
            String ref = resolved(bean.getRef(), parameters);
            if (!bound(ref)) {
                bean.setRef(standIn(ref, resolved(bean.getMethod(), parameters)));
                bean.setMethod("step");
            }
        }
        ProcessorDefinitionHelper.filterTypeInOutputs(outputs, SendDefinition.class).stream()
                .map(send -> resolved(send.getUri(), parameters))
                .filter(uri -> uri.startsWith("direct:")).forEach(channels::add);
        for (ExpressionNode node : ProcessorDefinitionHelper.filterTypeInOutputs(outputs, ExpressionNode.class)) {
            if (node.getExpression() instanceof MethodCallExpression call && !bound(call.getRef())) {
                call.setRef(standIn(call.getRef(), call.getMethod()));
                call.setMethod("expression");
            }
        }
    }

    private String standIn(String bean, String method) {
        String name = method == null ? bean : bean + "." + method.replaceFirst("\\(.*", "");
        bean("instead of " + name, new StandIn(name));
        return "instead of " + name;
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

    private Object asked(String name, Exchange exchange) throws Exception {
        steps.add(new Step(name, exchange.getMessage().getBody(), new HashMap<>(exchange.getMessage().getHeaders()),
                new HashMap<>(exchange.getVariables()), exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)));
        return answers.containsKey(name) ? answers.get(name).to(exchange) : null;
    }

    /** Makes variables of a body that is facts, as the beans do. */
    private static void variables(Exchange exchange) {
        if (exchange.getMessage().getBody() instanceof Map<?, ?> facts) {
            facts.forEach((name, value) -> exchange.setVariable((String) name, value));
        }
    }

    /** Sends a message into a route and forgets what was asked for before; a map is taken for facts. */
    Exchange send(String route, Object body) {
        return send(route, body, Map.of());
    }

    /** @param properties of the exchange */
    Exchange send(String route, Object body, Map<String, Object> properties) {
        steps.clear();
        return sendMore(route, exchange -> {
            properties.forEach(exchange::setProperty);
            exchange.getMessage().setBody(body);
            variables(exchange);
        }, ExchangePattern.InOnly);
    }

    /** Like {@link #send}, for a request with headers whose sender waits for an answer. */
    Exchange ask(String route, Object body, Map<String, Object> headers) {
        steps.clear();
        return sendMore(route, exchange -> {
            exchange.getMessage().setBody(body);
            exchange.getMessage().setHeaders(new HashMap<>(headers));
        }, ExchangePattern.InOut);
    }

    /** Sends a message while another is on its way: nothing is forgotten. */
    Exchange sendMore(String route, Processor message, ExchangePattern pattern) {
        return template.send("direct:" + route, pattern, message);
    }

    /** What the last message made the routes ask for. */
    List<Step> steps() {
        return List.copyOf(steps);
    }

    /** The same in the words of the tables. */
    List<String> asked() {
        return steps.stream().map(Step::toString).toList();
    }

    Step step(String name) {
        List<Step> found = steps.stream().filter(step -> step.name().equals(name)).toList();
        if (found.size() != 1) {
            throw new AssertionError(name + " was asked " + found.size() + " times: " + asked());
        }
        return found.get(0);
    }

    /** Where a route really reads from. */
    String source(String route) {
        return sources.get(route);
    }

    Pace pace() {
        return pace;
    }

    /** Ids of the routes that run, stand-ins left out. */
    public Set<String> running() {
        return context.getRoutes().stream().map(route -> route.getRouteId())
                .filter(id -> !id.startsWith("route") && !id.equals("shared-refusal"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Override
    public void close() {
        context.stop();
    }
}
