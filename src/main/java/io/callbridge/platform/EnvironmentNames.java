package io.callbridge.platform;

import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Says which PBXs and extensions the environment configures. Left to itself, SmallRye reads a number between underscores as
 * an index ({@code EXTENSIONS_101_USER} as {@code extensions[101].user}) and any other underscore as a dot.
 */
public final class EnvironmentNames implements ConfigSourceInterceptor {

    @Override
    public Iterator<String> iterateNames(ConfigSourceInterceptorContext context) {
        Set<String> names = new HashSet<>();
        context.iterateNames().forEachRemaining(names::add);
        names.addAll(new Names(names).names);
        return names.iterator();
    }

    @Override
    public ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        return context.proceed(name);
    }

    private static final class Names {

        private static final Pattern PROPERTY = Pattern.compile(
                "((callbridge\\.pbx\\.(?:\"[^\"]+\"|[^.]+))(?:\\.extensions\\.(?:\"[^\"]+\"|[^.]+))?)\\..+");
        private static final Pattern OF_EXTENSION = Pattern.compile("((CALLBRIDGE_PBX_.+?)_EXTENSIONS_(.+))_("
                + KeyCheck.variables("pbx.<pbx>.extensions.<name>.") + ")");
        private static final Pattern OF_AMI = Pattern.compile("(CALLBRIDGE_PBX_.+)_AMI_(" + KeyCheck.variables("pbx.<pbx>.ami.") + ")");
        private static final Pattern OF_PBX = Pattern.compile("(CALLBRIDGE_PBX_.+?)_(" + KeyCheck.variables("pbx.<pbx>.") + ")");

        private final Set<String> variables;
        /** How the other sources write a PBX or an extension, by its form in the environment. */
        private final Map<String, String> written = new HashMap<>();
        private final Set<String> names = new HashSet<>();

        Names(Set<String> given) {
            variables = given.stream().filter(KeyCheck::isVariable).collect(Collectors.toSet());
            Set<String> words = variables.stream().map(KeyCheck::words).collect(Collectors.toSet());
            for (String property : given) {
                Matcher matcher = PROPERTY.matcher(property);
                // Names that SmallRye makes of variables are in lower case, with a dot, a dash or an index where there is an underscore.
                boolean madeOfVariable = property.matches("[a-z0-9.\\[\\]-]+") && words.contains(KeyCheck.words(KeyCheck.variable(property)));
                if (matcher.matches() && !madeOfVariable) {
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
    }
}
