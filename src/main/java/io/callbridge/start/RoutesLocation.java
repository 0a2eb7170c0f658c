package io.callbridge.start;

import io.callbridge.platform.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * Where the routes are: in the folder {@code routes} of the working directory if there is one, else in the package. A
 * setting of the same name anywhere else wins. Files of inputs and CRMs that are not configured are left alone.
 */
public class RoutesLocation implements ConfigSource {

    static final String KEY = "camel.main.routes-include-pattern";
    private static final String DELIVER = "deliver-";
    private static final Pattern FILE = Pattern.compile("(?:.*[/:])?(.*)\\.camel\\.ya?ml");
    private final String pattern = Files.isDirectory(Path.of("routes")) ? "file:routes/*.camel.yaml" : "classpath:routes/*.camel.yaml";

    /** Whether a start loads a file: all but that of an Asterisk, of TCP or of a CRM if there is none, as their names say. */
    static boolean loads(String location, Config config) {
        Matcher file = FILE.matcher(location);
        String name = file.matches() ? file.group(1) : location;
        return switch (name) {
            case "ingest-asterisk" -> StreamSupport.stream(config.getPropertyNames().spliterator(), false)
                    .anyMatch(key -> key.matches("callbridge\\.pbx\\..+\\.ami\\.host"));
            case "ingest-tcp" -> config.getOptionalValue("callbridge.tcp.port", String.class).isPresent();
            case "deliver-outbox" -> true;
            default -> !name.startsWith(DELIVER) || Settings.activeCrms(config).stream().anyMatch(crm -> name.equals(DELIVER + crm)
                    || name.startsWith(DELIVER + crm + "-"));
        };
    }

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
