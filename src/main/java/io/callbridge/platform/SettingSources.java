package io.callbridge.platform;

import io.quarkus.runtime.LaunchMode;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.PropertiesConfigSourceLoader;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.SmallRyeConfigBuilderCustomizer;
import java.util.List;
import java.util.Set;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * What is read for settings: of a bridge, wherever Quarkus looks for them, with what follows from them. While Quarkus makes a
 * package, nothing that configures a bridge: what it finds in files then, it writes into the package, and the package of a folder
 * with a {@code config/} would have its secrets.
 */
public final class SettingSources implements SmallRyeConfigBuilderCustomizer {

    private static final int DEFAULTS = 100;
    private static final String PACKAGED = "application.properties";

    @Override
    public void configBuilder(SmallRyeConfigBuilder builder) {
        builder.withSources(new PropertiesConfigSource(Keys.defaults(), "defaults", DEFAULTS));
        if (!packages(builder.getClassLoader())) {
            builder.withInterceptors(new EnvironmentNames(), new DerivedSettings());
        } else if (builder.isAddDefaultSources() || builder.isAddPropertiesSources()) {
            // As Quarkus reads them, but for config/. Environment, -D and .env are read, since they say how to build; Quarkus keeps
            // nothing of them.
            builder.setAddSystemSources(builder.isAddDefaultSources() || builder.isAddSystemSources())
                    .setAddDefaultSources(false).setAddPropertiesSources(false)
                    .withSources(new NoPlaces())
                    .withSources(PropertiesConfigSourceLoader.inClassPath(PACKAGED, 250, builder.getClassLoader()))
                    .withSources(PropertiesConfigSourceLoader.inClassPath("META-INF/microprofile-config.properties", DEFAULTS,
                            builder.getClassLoader()));
        }
    }

    /** What makes packages is on the class path then, and at no other time. */
    private static boolean packages(ClassLoader loader) {
        try {
            Class.forName("io.quarkus.deployment.QuarkusAugmentor", false, loader);
            return !LaunchMode.current().isDevOrTest();
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /** Neither other files nor a profile, which a package would keep, whoever says so. */
    private static final class NoPlaces implements ConfigSource {

        private static final List<String> PLACES = List.of("quarkus.config.locations", "smallrye.config.locations");

        @Override
        public Set<String> getPropertyNames() {
            return Set.of();
        }

        @Override
        public String getValue(String name) {
            return PLACES.contains(name) ? "" : name.equals("quarkus.profile") ? LaunchMode.NORMAL.getDefaultProfile() : null;
        }

        @Override
        public String getName() {
            return "no places";
        }

        @Override
        public int getOrdinal() {
            return Integer.MAX_VALUE;
        }
    }
}
