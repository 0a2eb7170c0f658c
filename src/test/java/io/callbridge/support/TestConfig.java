package io.callbridge.support;

import io.callbridge.platform.BridgeConfig;
import io.callbridge.platform.DerivedSettings;
import io.callbridge.platform.EnvironmentNames;
import io.callbridge.platform.Settings;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;

/** The packaged settings with some of one's own, as a start sees them, in milliseconds. */
public final class TestConfig {

    /** The settings that are packaged. */
    public static final Path PACKAGED = Path.of("src/main/resources/META-INF/microprofile-config.properties");

    private TestConfig() {
    }

    /**
     * @param given settings as in {@code config/application.properties}
     * @param environment variables
     */
    public static SmallRyeConfig of(Map<String, String> given, Map<String, String> environment) {
        try {
            return new SmallRyeConfigBuilder().addDefaultInterceptors()
                    .withSources(new PropertiesConfigSource(PACKAGED.toUri().toURL(), 100),
                            new PropertiesConfigSource(Map.of("callbridge.crm.rest.url", "https://crm.example/callbridge"), "a CRM", 200),
                            new PropertiesConfigSource(given, "given", 260), new EnvConfigSource(environment, 300))
                    .withInterceptors(new EnvironmentNames(), new DerivedSettings())
                    .withMapping(BridgeConfig.class).withMappingIgnore("callbridge.**").build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Properties packaged() {
        Properties packaged = new Properties();
        try (Reader file = Files.newBufferedReader(PACKAGED)) {
            packaged.load(file);
            return packaged;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Settings settings(SmallRyeConfig config) {
        return new Settings(config.getConfigMapping(BridgeConfig.class), config);
    }
}
