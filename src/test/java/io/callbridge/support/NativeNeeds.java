package io.callbridge.support;

import io.callbridge.platform.RouteVocabulary;
import io.netty.channel.ChannelHandler;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.inject.Named;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.component.netty.ChannelHandlerFactory;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * What route files reach by a name in a text, which a native binary only has if it is registered. A finding is one line: what
 * lacks, and who wants it.
 */
public final class NativeNeeds {

    /** Keys whose value names a bean of which Camel calls a method that it looks for. */
    private static final Set<String> CALLED = Set.of("ref", "aggregationStrategy", "aggregationRepository", "idempotentRepository");
    /** Keys whose value names one that is handed over as it is. */
    private static final Set<String> USED = Set.of("executorService");
    private static final Set<String> EXCEPTIONS = Set.of("exception", "exceptionType");
    /** Without one of these a netty endpoint takes and sends Java objects. */
    private static final Set<String> CODECS = Set.of("textline", "decoders", "encoders", "serverInitializerFactory",
            "clientInitializerFactory");
    private static final Set<String> KNOWN_TYPES = Set.of("String", "java.lang.String", "byte[]", "Integer", "Long", "Boolean", "Double");
    private static final Pattern BEAN = Pattern.compile("\\$\\{bean:([A-Za-z]\\w*)|^#([a-z]\\w*)$|^bean:(\\w+)");
    private static final Pattern AS = Pattern.compile("\\b(?:bodyAs|headerAs|variableAs)\\((?:[^,)]*,\\s*)?([\\w.\\[\\]]+)\\)");
    private static final Pattern CALL = Pattern.compile("\\$\\{(?:body|variable|header)\\b[^{}]*\\}");
    private static final Pattern METHOD = Pattern.compile("[.](\\w+)\\(");
    private static final Pattern GETTER = Pattern.compile("\\$\\{exception\\.(\\w+)\\}");

    private final Map<String, Class<?>> beans = new HashMap<>();
    private final Set<Class<?>> registered;
    private final Set<String> findings = new TreeSet<>();

    /** @param own the classes of the application */
    public NativeNeeds(Collection<Class<?>> own) {
        registered = own.stream().filter(type -> type.isAnnotationPresent(RegisterForReflection.class)).collect(Collectors.toSet());
        registered.addAll(List.of(RouteVocabulary.class.getAnnotation(RegisterForReflection.class).targets()));
        for (Class<?> type : own) {
            if (type.isAnnotationPresent(Named.class)) {
                beans.put(type.getAnnotation(Named.class).value(), type);
            }
            Stream.of(type.getDeclaredMethods()).filter(producer -> producer.isAnnotationPresent(Named.class))
                    .forEach(producer -> beans.put(producer.getAnnotation(Named.class).value(), producer.getReturnType()));
        }
    }

    /** What lacks for the routes of one file. */
    public Set<String> findings(String yaml) {
        findings.clear();
        Object document = new Load(LoadSettings.builder().build()).loadFromString(yaml);
        look(document);
        GETTER.matcher(yaml).results().map(getter -> getter.group(1)).filter(getter -> !getter.equals("message")).forEach(this::getter);
        return new TreeSet<>(findings);
    }

    private void look(Object node) {
        if (node instanceof List<?> list) {
            list.forEach(this::look);
        } else if (node instanceof Map<?, ?> map) {
            map.forEach((key, value) -> member(String.valueOf(key), value));
            if ("bean".equals(map.get("name")) && map.get("value") instanceof String bean) {
                called(bean);
            }
            if (String.valueOf(map.get("uri")).contains("netty:")
                    && !(map.get("parameters") instanceof Map<?, ?> parameters && parameters.keySet().stream().anyMatch(CODECS::contains))) {
                findings.add("netty without " + new TreeSet<>(CODECS) + " serializes Java objects");
            }
        }
    }

    private void member(String key, Object value) {
        if (EXCEPTIONS.contains(key)) {
            (value instanceof List<?> list ? list : List.of(value)).forEach(name -> type(String.valueOf(name)));
        }
        if (value instanceof String text) {
            text(key, text);
        } else {
            look(value);
        }
        if (value instanceof List<?> list) {
            list.stream().filter(String.class::isInstance).forEach(text -> text("", (String) text));
        }
    }

    private void text(String key, String text) {
        if (CALLED.contains(key)) {
            if (!text.contains("{{")) {
                called(text);
            }
        } else if (USED.contains(key) && !beans.containsKey(text)) {
            findings.add("no bean " + text);
        } else if (key.equals("type")) {
            type(text);
        }
        BEAN.matcher(text).results().forEach(bean -> called(Stream.of(bean.group(1), bean.group(2), bean.group(3))
                .filter(name -> name != null).findFirst().orElseThrow()));
        AS.matcher(text).results().forEach(as -> type(as.group(1)));
        CALL.matcher(text).results().flatMap(call -> METHOD.matcher(call.group()).results()).map(method -> method.group(1))
                .filter(method -> registered.stream().noneMatch(type -> has(type, method)))
                .forEach(method -> findings.add("no registered class has a method " + method + ": " + text));
    }

    private void called(String bean) {
        Class<?> type = beans.get(bean);
        if (type == null) {
            findings.add("no bean " + bean);
        } else if (!registered.contains(type) && !handedOver(type)) {
            findings.add("bean " + bean + " is of " + type.getName() + ", which is not registered");
        }
    }

    /** Netty takes it as it is. */
    private static boolean handedOver(Class<?> type) {
        return ChannelHandler.class.isAssignableFrom(type)
                || ChannelHandlerFactory.class.isAssignableFrom(type);
    }

    private void type(String name) {
        if (!KNOWN_TYPES.contains(name) && registered.stream().noneMatch(type -> type.getName().equals(name))) {
            findings.add(name + " is not registered");
        }
    }

    private void getter(String property) {
        String getter = "get" + Character.toUpperCase(property.charAt(0)) + property.substring(1);
        List<Class<?>> having = new ArrayList<>(registered);
        having.removeIf(type -> !Throwable.class.isAssignableFrom(type) || !has(type, getter));
        if (having.isEmpty()) {
            findings.add("no registered exception has a method " + getter);
        }
    }

    private static boolean has(Class<?> type, String method) {
        return Stream.of(type.getMethods()).anyMatch(one -> one.getName().equals(method));
    }
}
