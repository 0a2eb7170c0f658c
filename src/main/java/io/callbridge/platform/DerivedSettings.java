package io.callbridge.platform;

import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.Priorities;
import jakarta.annotation.Priority;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Settings that follow from others, wherever these are: those of Quarkus from Callbridge's, and those of the demo, if it is asked
 * for. What is said itself counts more. It comes after profiles and expressions, whose values it takes, and before what lets one
 * key of Quarkus stand for another.
 */
@Priority(Priorities.LIBRARY + 500)
public final class DerivedSettings implements ConfigSourceInterceptor {

    /** Of what the package says itself; what an installation says has a higher one. */
    private static final int PACKAGED = 250;
    /** What a setting is by what others are; {@code null}: nothing follows. */
    private static final Map<String, Function<UnaryOperator<String>, String>> RULES = new HashMap<>();

    static {
        for (StoreKind kind : StoreKind.values()) {
            Predicate<UnaryOperator<String>> active = of -> kind == StoreKind.of(of.apply("callbridge.store.url"));
            for (String name : kind.schemas) {
                String source = "quarkus.datasource." + name;
                RULES.put(source + ".active", of -> Boolean.toString(active.test(of)));
                RULES.put(source + ".jdbc.url", when(active, of -> name.equals(kind.dataSource) ? of.apply("callbridge.store.url")
                        : kind.forcedUrl(of.apply("callbridge.store.url"))));
            }
        }
        RULES.put("quarkus.oidc.tenant-enabled", of -> Boolean.toString(LoginSettings.usable(of)));
        RULES.put("quarkus.oidc.auth-server-url", login(LoginSettings.URL, ""));
        RULES.put("quarkus.oidc.client-id", login(LoginSettings.CLIENT_ID, ""));
        RULES.put("quarkus.oidc.credentials.secret", login(LoginSettings.CLIENT_SECRET, ""));
        // A token that was made for another application is none for this one.
        RULES.put("quarkus.oidc.token.audience", login(LoginSettings.CLIENT_ID, ""));
        // Made up by every process otherwise: a session would end with it, and be none for the other replicas.
        RULES.put("quarkus.oidc.authentication.state-secret", login(LoginSettings.CLIENT_SECRET, "state\n"));
        RULES.put("quarkus.oidc.token-state-manager.encryption-secret", login(LoginSettings.CLIENT_SECRET, "session\n"));
        RULES.put("quarkus.otel.sdk.disabled", of -> Boolean.toString(!traces(of)));
        RULES.put("quarkus.otel.exporter.otlp.endpoint", tracing("tracing.endpoint"));
        RULES.put("quarkus.otel.exporter.otlp.protocol", tracing("tracing.protocol"));
        RULES.put("quarkus.otel.traces.sampler.arg", tracing("tracing.ratio"));
        Demo.SETTINGS.forEach((key, value) -> RULES.put(key, when(Demo::asked, of -> value)));
        RULES.put(Demo.CRM_URL, when(Demo::asked, Demo::crm));
    }

    private static Function<UnaryOperator<String>, String> when(Predicate<UnaryOperator<String>> condition,
            Function<UnaryOperator<String>, String> rule) {
        return of -> condition.test(of) ? rule.apply(of) : null;
    }

    /** @param purpose not empty: not the value itself, but what is as secret as it */
    private static Function<UnaryOperator<String>, String> login(String key, String purpose) {
        return when(LoginSettings::usable, of -> purpose.isEmpty() ? of.apply("callbridge." + key)
                : Settings.hex(purpose + of.apply("callbridge." + key)));
    }

    /** There is a collector, and all that is said about it is right; what is not, {@link Settings} refuse. */
    private static boolean traces(UnaryOperator<String> of) {
        return !of.apply("callbridge.tracing.endpoint").isEmpty()
                && Stream.of("endpoint", "protocol", "ratio").allMatch(key -> Keys.fits("tracing." + key, of.apply("callbridge.tracing." + key)));
    }

    private static Function<UnaryOperator<String>, String> tracing(String key) {
        return when(DerivedSettings::traces, of -> of.apply("callbridge." + key));
    }

    @Override
    public ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        ConfigValue given = context.proceed(name);
        Function<UnaryOperator<String>, String> rule = RULES.get(name);
        String value = null;
        if (name.equals(Demo.PORT) && given != null && "0".equals(given.getValue()) && Demo.asked(key -> text(context, key))) {
            value = Demo.freePort();
        } else if (rule != null && (given == null || given.getConfigSourceOrdinal() <= PACKAGED)) {
            value = rule.apply(key -> text(context, key));
        }
        return value == null ? given : ConfigValue.builder().withName(name).withValue(value).withRawValue(value)
                .withConfigSourceName("derived").withConfigSourceOrdinal(PACKAGED).build();
    }

    private String text(ConfigSourceInterceptorContext context, String name) {
        ConfigValue value = getValue(context, name);
        return value == null || value.getValue() == null ? "" : value.getValue();
    }

    @Override
    public Iterator<String> iterateNames(ConfigSourceInterceptorContext context) {
        Set<String> names = new HashSet<>();
        context.iterateNames().forEachRemaining(names::add);
        RULES.keySet().stream().filter(name -> getValue(context, name) != null).forEach(names::add);
        return names.iterator();
    }
}
