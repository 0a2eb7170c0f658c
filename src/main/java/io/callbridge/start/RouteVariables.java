package io.callbridge.start;

import io.callbridge.deliver.EffectFacts;
import io.callbridge.platform.Problem;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * The variables that routes read, and those that somebody sets: Callbridge, or a step of any route. To Camel one that nobody sets
 * is empty, so that a condition with a misspelt name is silently never true.
 */
final class RouteVariables {

    /** Facts, members of the REST contract's bodies, and what else comes with a message or is left by a bean. */
    static final Set<String> CALLBRIDGE = Stream.concat(EffectFacts.names().stream(), Stream.of(
            // CallFacts
            "pbx", "whole", "changed", "card", "legId", "callId", "direction", "extension", "extensionType", "container", "trunk", "joined", "lost", "lostHow", "bridged", "local", "party",
            "forwarded", "calledFromInside", "forwardedAsOutgoing", "answered", "result", "registered", "ended", "over", "settled", "mapped",
            "defaultUser", "callBack", "containerSeen", "shown", "notified", "hidden", "fresh", "end", "answeredBy", "due", "allOver",
            "ownCaller", "ivrBridged", "rang", "place", "written", "withoutContainer", "suppressIfAnswered", "needsIvrNo",
            // events
            "kind",
            // look-ups
            "address",
            // AmoCrmNotes, Bitrix24Call, JsonTemplate, OAuthToken, RecordingFile
            "noted", "type", "page", "bitrixCall", "finished", "cardUser", "template", "method", "request", "token", "renewed", "file", "fileName"))
            .collect(Collectors.toUnmodifiableSet());

    private static final Pattern READ = Pattern.compile(
            "\\$(?:simple)?\\{variable(?:As\\(\\s*|\\??[.:\\[])'?([\\w:-]+)(?![\\w:{-])|date(?:-with-timezone)?:variable\\.([\\w-]+)(?![\\w{-])");
    private static final Pattern NAMED = Pattern.compile("(?i)(?:name|variable-?receive):\\s*[\"']?([\\w:-]+)");
    /** Kept in a place that all messages see, or all of a route. */
    private static final Pattern SCOPE = Pattern.compile("^(global:|route:([^:]*:)?)");

    private record Place(String name, String location, int line) {
    }

    private final List<Place> read = new ArrayList<>();
    private final Set<String> set = new HashSet<>(CALLBRIDGE);
    /** A step makes up a name: then nobody knows what is set. */
    private boolean unknown;

    void add(String location, String text) {
        try {
            walk("", RouteFile.root(location, text), location);
        } catch (YamlEngineException | IllegalArgumentException notRead) {
            // What it would set is no other mistake.
            NAMED.matcher(text).results().forEach(found -> set.add(plain(found.group(1))));
        }
    }

    List<Problem> problems() {
        return read.stream().filter(place -> !unknown && !set.contains(place.name)).map(place -> new Problem(Problem.file(place.location), place.line,
                "neither a route nor Callbridge sets the variable " + place.name + "; the nearest one that is set is " + Problem.nearest(place.name, set))).toList();
    }

    private void walk(String key, Node node, String location) {
        if (node instanceof SequenceNode list) {
            list.getValue().forEach(item -> walk(key, item, location));
        } else if (node instanceof MappingNode map) {
            map.getValue().forEach(entry -> entry(key, word(entry.getKeyNode()), entry.getValueNode(), location));
        } else if (node instanceof ScalarNode text) {
            expressions(text, location);
        }
    }

    private void entry(String above, String key, Node value, String location) {
        boolean name = value instanceof ScalarNode;
        switch (key) {
            case "description", "note" -> {
                return;
            }
            case "variablereceive" -> sets(value);
            case "toname" -> sets(value);
            case "name" -> {
                if (above.equals("setvariable") || above.equals("variables")) {
                    sets(value);
                } else if (above.equals("convertvariableto")) {
                    sets(value);
                    reads(value, location);
                }
            }
            case "variablesend" -> reads(value, location);
            case "variable" -> {
                if (name && !above.equals("parameters") && !above.equals("properties")) {
                    reads(value, location);
                }
            }
            case "expression" -> {
                if (name && above.equals("variable")) {
                    reads(value, location);
                }
            }
            default -> {
                // No other key names one, but in its text.
            }
        }
        walk(key, value, location);
    }

    private void sets(Node name) {
        if (name instanceof ScalarNode text) {
            unknown |= text.getValue().contains("${") || text.getValue().contains("{{");
            set.add(plain(text.getValue()));
        }
    }

    private void reads(Node name, String location) {
        if (name instanceof ScalarNode text && text.getValue().matches("[\\w:-]+")) {
            read.add(new Place(plain(text.getValue()), location, line(text, 0)));
        }
    }

    private void expressions(ScalarNode text, String location) {
        Matcher found = READ.matcher(text.getValue());
        while (found.find()) {
            String name = found.group(1) != null ? found.group(1) : found.group(2);
            // A header of an answer that a step put into a variable.
            if (!name.startsWith("header:")) {
                read.add(new Place(plain(name), location, line(text, found.start())));
            }
        }
    }

    /** Counted from 1; a block begins in the line behind its mark. */
    private static int line(ScalarNode text, int at) {
        boolean block = text.getScalarStyle() == ScalarStyle.LITERAL || text.getScalarStyle() == ScalarStyle.FOLDED;
        int within = text.getScalarStyle() == ScalarStyle.LITERAL ? (int) text.getValue().substring(0, at).chars().filter(c -> c == '\n').count() : 0;
        return text.getStartMark().orElseThrow().getLine() + 1 + (block ? 1 : 0) + within;
    }

    private static String plain(String name) {
        return SCOPE.matcher(name).replaceFirst("");
    }

    /** Without the dashes that Camel allows in its keys. */
    private static String word(Node key) {
        return key instanceof ScalarNode name ? name.getValue().replace("-", "").toLowerCase(Locale.ROOT) : "";
    }
}
