package io.callbridge.support;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.comments.CommentType;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.CommentEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;

/** How a file is written, as far as its data do not show it: what a visual designer would lose or rewrite when it saves. */
final class YamlStyle {

    private final List<String> findings = new ArrayList<>();
    /** The collections around the current place. */
    private final Deque<CollectionStartEvent> open = new ArrayDeque<>();
    private boolean content;

    private YamlStyle() {
    }

    /** @throws org.snakeyaml.engine.v2.exceptions.YamlEngineException for a text that is no YAML */
    static List<String> findings(String text) {
        YamlStyle style = new YamlStyle();
        if (text.contains("\t")) {
            style.findings.add("tabs: none, not even in a text");
        }
        for (Event event : new Parse(LoadSettings.builder().setParseComments(true).build()).parseString(text)) {
            style.check(event);
        }
        return style.findings;
    }

    private void check(Event event) {
        if (event instanceof CommentEvent comment && comment.getCommentType() != CommentType.BLANK_LINE && content) {
            add(event, "comment: only at the top of the file; a description survives elsewhere");
        }
        if (event instanceof NodeEvent node) {
            content = true;
            if (node instanceof AliasEvent || node.getAnchor().isPresent()) {
                add(event, "anchor: neither anchors nor aliases");
            }
            if (tag(node).isPresent()) {
                add(event, "tag: none");
            }
            indentation(node);
        }
        if (event instanceof CollectionStartEvent start) {
            open.push(start);
        } else if (event instanceof CollectionEndEvent) {
            open.pop();
        }
    }

    private void indentation(NodeEvent node) {
        CollectionStartEvent parent = open.peek();
        boolean ownLine = node instanceof CollectionStartEvent start ? !start.isFlow() : parent instanceof SequenceStartEvent;
        if (ownLine && (parent == null || !parent.isFlow()) && column(node) != (parent == null ? 0 : column(parent) + 2)) {
            add(node, "indent: two spaces at a time");
        }
    }

    private static Optional<String> tag(NodeEvent node) {
        return node instanceof ScalarEvent scalar ? scalar.getTag()
                : node instanceof CollectionStartEvent start ? start.getTag() : Optional.empty();
    }

    private static int column(Event event) {
        return event.getStartMark().map(Mark::getColumn).orElseThrow();
    }

    private void add(Event event, String finding) {
        findings.add(finding + " (line " + (event.getStartMark().map(Mark::getLine).orElseThrow() + 1) + ")");
    }
}
