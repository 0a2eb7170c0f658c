package io.callbridge.platform;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * Where the routes are: in the folder {@code routes} of the working directory if there is one, else in the package. A
 * setting of the same name anywhere else wins.
 */
public class RoutesLocation implements ConfigSource {

    static final String KEY = "camel.main.routes-include-pattern";
    private final String pattern = Files.isDirectory(Path.of("routes")) ? "file:routes/*.camel.yaml" : "classpath:routes/*.camel.yaml";

    @Override
    public Map<String, String> getProperties() {
        return Map.of(KEY, pattern);
    }

    @Override
    public Set<String> getPropertyNames() {
        return Set.of(KEY);
    }

    @Override
    public String getValue(String name) {
        return KEY.equals(name) ? pattern : null;
    }

    @Override
    public String getName() {
        return "routes folder";
    }

    @Override
    public int getOrdinal() {
        return 50;
    }
}
