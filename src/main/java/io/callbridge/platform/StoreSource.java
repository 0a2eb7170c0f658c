package io.callbridge.platform;

import io.callbridge.store.StoreKind;
import io.smallrye.config.ConfigSourceContext;
import io.smallrye.config.ConfigSourceFactory;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.PropertiesConfigSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.eclipse.microprofile.config.spi.ConfigSource;

/** Gives {@code callbridge.store.url} to the one of the two data sources it is meant for, and switches the other off. */
public class StoreSource implements ConfigSourceFactory {

    @Override
    public Iterable<ConfigSource> getConfigSources(ConfigSourceContext context) {
        ConfigValue given = context.getValue("callbridge.store.url");
        String url = given == null || given.getValue() == null ? "" : given.getValue();
        Map<String, String> properties = new HashMap<>();
        for (StoreKind kind : StoreKind.values()) {
            boolean active = kind == StoreKind.of(url);
            properties.put("quarkus.datasource." + kind.dataSource + ".active", Boolean.toString(active));
            if (active) {
                properties.put("quarkus.datasource." + kind.dataSource + ".jdbc.url", url);
            }
        }
        return List.of(new PropertiesConfigSource(properties, "store", 50));
    }

    @Override
    public OptionalInt getPriority() {
        return OptionalInt.of(50);
    }
}
