package io.callbridge.platform;

import io.smallrye.config.ConfigSourceContext;
import io.smallrye.config.ConfigSourceFactory;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.ProfileConfigSourceInterceptor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * Says which PBXs and extensions the environment configures. Left to itself, SmallRye reads a number between underscores as
 * an index ({@code EXTENSIONS_101_USER} as {@code extensions[101].user}) and any other underscore as a dot.
 */
public class EnvironmentNames implements ConfigSourceFactory {

    @Override
    public Iterable<ConfigSource> getConfigSources(ConfigSourceContext context) {
        Set<String> variables = new HashSet<>();
        Set<String> properties = new HashSet<>();
        for (ConfigSource source : context.getConfigSources()) {
            for (String name : source.getPropertyNames()) {
                (source instanceof EnvConfigSource ? variables : properties)
                        .add(ProfileConfigSourceInterceptor.activeName(name, context.getProfiles()));
            }
        }
        return List.of(new Names(variables, properties));
    }

    /** Has names only: the values are the environment's own, and so no build can package them. */
    static final class Names implements ConfigSource {

        private static final Pattern PROPERTY = Pattern.compile(
                "((callbridge\\.pbx\\.(?:\"[^\"]+\"|[^.]+))(?:\\.extensions\\.(?:\"[^\"]+\"|[^.]+))?)\\..+");
        private static final Pattern OF_EXTENSION = Pattern.compile("((CALLBRIDGE_PBX_.+?)_EXTENSIONS_(.+))_(TYPE|USER|ID)");
        private static final Pattern OF_AMI = Pattern.compile("(CALLBRIDGE_PBX_.+)_AMI_(HOST|PORT|USERNAME|SECRET|PLAIN_LOGIN|TLS|TLS_CA"
                + "|TRUNKS|INBOUND_CONTEXTS|DID_VARIABLE)");
        private static final Pattern OF_PBX = Pattern.compile("(CALLBRIDGE_PBX_.+)_(SECRET|PREFIX|DOMAIN|COUNTRY|CHARSET|DEFAULT_USER)");

        private final Set<String> variables;
        /** How the other sources write a PBX or an extension, by its form in the environment. */
        private final Map<String, String> written = new HashMap<>();
        private final Set<String> names = new HashSet<>();

        Names(Set<String> variables, Set<String> properties) {
            this.variables = variables;
            for (String property : properties) {
                Matcher matcher = PROPERTY.matcher(property);
                if (matcher.matches()) {
                    written.put(KeyCheck.variable(matcher.group(1)), matcher.group(1));
                    written.put(KeyCheck.variable(matcher.group(2)), matcher.group(2));
                }
            }
            for (String variable : variables) {
                if (variable.contains("__")) {
                    // A name in quotes, which SmallRye reads as it is meant.
                    continue;
                }
                Matcher extension = OF_EXTENSION.matcher(variable);
                Matcher ami = OF_AMI.matcher(variable);
                Matcher pbx = OF_PBX.matcher(variable);
                if (extension.matches() && isPbx(extension.group(2)) && isExtension(extension.group(1))) {
                    names.add(written.getOrDefault(extension.group(1),
                            pbx(extension.group(2)) + ".extensions." + property(extension.group(3)))
                            + "." + property(extension.group(4)));
                } else if (ami.matches() && isPbx(ami.group(1))) {
                    names.add(pbx(ami.group(1)) + ".ami." + property(ami.group(2)));
                } else if (pbx.matches() && isPbx(pbx.group(1))) {
                    names.add(pbx(pbx.group(1)) + "." + property(pbx.group(2)));
                }
            }
        }

        private String pbx(String form) {
            return written.getOrDefault(form, "callbridge.pbx." + property(form.substring("CALLBRIDGE_PBX_".length())));
        }

        /**
         * {@code MAIN_DEFAULT_COUNTRY} is a misspelt key of {@code main}, unless there is a PBX {@code main-default};
         * {@code MAIN_AMI_SECRET} is a key of {@code main} for its AMI.
         */
        private boolean isPbx(String form) {
            String name = form.substring("CALLBRIDGE_PBX_".length());
            return written.containsKey(form) || !name.contains("_EXTENSIONS_") && !name.endsWith("_AMI")
                    && (!name.contains("_") || variables.contains(form + "_SECRET") || variables.contains(form + "_AMI_HOST"));
        }

        /** {@code 101_EXTRA_USER} is a misspelt key of the extension 101 if there is one. */
        private boolean isExtension(String form) {
            String shorter = form.substring(0, form.lastIndexOf('_'));
            return written.containsKey(form) || shorter.endsWith("_EXTENSIONS") || !written.containsKey(shorter)
                    && Stream.of("_TYPE", "_USER", "_ID").noneMatch(key -> variables.contains(shorter + key))
                    && isExtension(shorter);
        }

        private static String property(String form) {
            return form.toLowerCase(Locale.ROOT).replace('_', '-');
        }

        @Override
        public Set<String> getPropertyNames() {
            return names;
        }

        @Override
        public String getValue(String name) {
            return null;
        }

        @Override
        public String getName() {
            return "names in the environment";
        }
    }
}
