package io.callbridge.support;

import io.callbridge.platform.BridgeConfig;
import io.callbridge.platform.DerivedSettings;
import io.callbridge.platform.EnvironmentNames;
import io.callbridge.platform.Keys;
import io.callbridge.platform.Settings;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;

/** The packaged settings with some of one's own, as a start sees them, in milliseconds. */
public final class TestConfig {

    public static final Path PACKAGED = Path.of("src/main/resources/META-INF/microprofile-config.properties");

    private TestConfig() {
    }

    /**
     * @param given settings as in {@code config/application.properties}
     * @param environment variables
     */
    public static SmallRyeConfig of(Map<String, String> given, Map<String, String> environment) {
        return new SmallRyeConfigBuilder().addDefaultInterceptors()
                .withSources(new PropertiesConfigSource(Keys.defaults(), "defaults", 100),
                        Unchecked.get(() -> new PropertiesConfigSource(PACKAGED.toUri().toURL(), 100)),
                        new PropertiesConfigSource(Map.of("callbridge.crm.rest.url", "https://crm.example/callbridge"), "a CRM", 200),
                        new PropertiesConfigSource(given, "given", 260), new EnvConfigSource(environment, 300))
                .withInterceptors(new EnvironmentNames(), new DerivedSettings())
                .withMapping(BridgeConfig.class).withMappingIgnore("callbridge.**").build();
    }

    public static Properties packaged() {
        Properties packaged = new Properties();
        packaged.putAll(Keys.defaults());
        Unchecked.run(() -> packaged.load(new StringReader(Pages.text(PACKAGED))));
        return packaged;
    }

    public static Settings settings(SmallRyeConfig config) {
        return new Settings(config.getConfigMapping(BridgeConfig.class), config);
    }
}
