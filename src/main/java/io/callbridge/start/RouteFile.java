package io.callbridge.start;

import io.callbridge.platform.StartException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.eclipse.microprofile.config.Config;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** A file of routes, taken apart, so that a mistake hides no other: its entries, each with its lines where they were. */
public final class RouteFile {

    /** An entry of the file: a route, a route configuration and the like. */
    static final class Entry {

        private final String location;
        private final Node node;
        private final String[] lines;

        /** @param end the line behind it */
        private Entry(String location, Node node, int end, String[] file) {
            this.location = location;
            this.node = node;
            lines = new String[end];
            Arrays.fill(lines, "");
            System.arraycopy(file, lineOf(node), lines, lineOf(node), end - lineOf(node));
        }

        String location() {
            return location;
        }

        /** Counted from 1. */
        int line() {
            return lineOf(node) + 1;
        }

        boolean isConfiguration() {
            return node instanceof MappingNode map && map.getValue().size() == 1
                    && List.of("routeConfiguration", "route-configuration").contains(key(map.getValue().get(0)));
        }

        String text() {
            return String.join("\n", lines);
        }

        Resource resource() {
            return ResourceHelper.fromString(location, text());
        }
    }

    private static final Pattern ID = Pattern.compile("(?m)^\\s+(?:id|group):\\s*[\"']?([\\w-]+)");
    private static final Pattern CHANNEL = Pattern.compile("from:\\s+uri:\\s*[\"']?(direct:[^\"'\\s?]+)");

    private RouteFile() {
    }

    /** @throws org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException if it is no YAML */
    static List<Entry> entries(String location, String text) {
        Node root = root(location, text);
        if (!(root instanceof SequenceNode list)) {
            throw new IllegalArgumentException("is no list; needed is a list of routes, each \"- route:\"");
        }
        String[] lines = text.split("\\R", -1);
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < list.getValue().size(); i++) {
            int end = i + 1 < list.getValue().size() ? lineOf(list.getValue().get(i + 1)) : lines.length;
            entries.add(new Entry(location, list.getValue().get(i), end, lines));
        }
        return entries;
    }

    static Node root(String location, String text) {
        return new Compose(LoadSettings.builder().setLabel(location).build()).composeString(text)
                .orElseThrow(() -> new IllegalArgumentException("is empty; needed is a list of routes, each \"- route:\""));
    }

    /** Those that a start loads, by their locations. */
    public static SortedMap<String, String> texts(Config config, CamelContext context) {
        SortedMap<String, String> texts = new TreeMap<>();
        for (String location : config.getValue(RoutesLocation.KEY, String.class).split(",")) {
            try {
                for (Resource file : PluginHelper.getPackageScanResourceResolver(context).findResources(location.strip())) {
                    texts.put(file.getLocation(), text(file));
                }
            } catch (Exception e) {
                throw new StartException("the routes at " + location + " cannot be read: " + e.getMessage(), e);
            }
        }
        return texts;
    }

    static String text(Resource resource) throws IOException {
        try (InputStream in = resource.getInputStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** What the routes of a broken text would have brought: ids, groups and channels. That it is missing is no other mistake. */
    static List<String> names(String text) {
        List<String> names = new ArrayList<>();
        ID.matcher(text).results().forEach(found -> names.add(found.group(1)));
        CHANNEL.matcher(text).results().forEach(found -> names.add(found.group(1)));
        return names;
    }

    private static String key(NodeTuple entry) {
        return entry.getKeyNode() instanceof ScalarNode name ? name.getValue() : "";
    }

    private static int lineOf(Node node) {
        return node.getStartMark().orElseThrow().getLine();
    }
}
