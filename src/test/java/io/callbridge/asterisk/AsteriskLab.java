package io.callbridge.asterisk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Leg;
import io.callbridge.domain.MissedCall;
import io.callbridge.domain.Party;
import io.callbridge.domain.TestEvent;
import io.callbridge.ingest.EventReader;
import io.callbridge.platform.Settings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An Asterisk as a script, and the calls that follow from what it says. Its trunks begin with {@code trunk}. */
final class AsteriskLab {

    private static final Instant BEGIN = Instant.parse("2026-11-23T02:00:00Z");
    private static final AsteriskDialplan DIALPLAN = new AsteriskDialplan(List.of("trunk*"), List.of("from-trunk"), "");

    private final List<Map<String, String>> events = new ArrayList<>();
    private final List<CallEvent> read = new ArrayList<>();
    /** By leg, as they were told. */
    private final Map<String, String> cardEnds = new TreeMap<>();
    private final Map<String, String> names = new HashMap<>();
    private final Directory directory;
    private AsteriskCalls calls;
    private Instant now = BEGIN;
    private Instant seen = BEGIN;

    /** @param outsidePrefixes digits for the outside line */
    AsteriskLab(String... outsidePrefixes) {
        directory = new Directory("main", "", "", null, List.of(), number -> Settings.e164(number, "US"),
                number -> Settings.dialled(number, "US"), List.of(outsidePrefixes), null);
        reconnected();
    }

    /** A new connection, on which the channels that there are are listed. */
    void reconnected(String... channels) {
        reconnects();
        lists(channels);
    }

    /** A new connection, on which the lists have not come. */
    void reconnects() {
        now = now.plusMillis(1);
        calls = new AsteriskCalls(DIALPLAN, directory::reachesNumber);
        calls.restore(events);
    }

    void lists(String... channels) {
        for (String channel : channels) {
            says("Event: CoreShowChannel\n" + channel);
        }
        says("Event: CoreShowChannelsComplete");
    }

    void says(String message) {
        now = now.plusMillis(1);
        takes(AmiMessage.of(message));
    }

    private void takes(AmiMessage message) {
        if (now.isAfter(seen)) {
            endCards();
        }
        List<Map<String, String>> said = calls.take(message, now);
        said.forEach(fields -> read.add(EventReader.read("main", fields, now)));
        events.addAll(said);
        if (!said.isEmpty()) {
            endCards();
        }
    }

    /** Waits. */
    void passes(Duration time) {
        now = now.plus(time);
        endCards();
    }

    /** A card ends once, when nothing is waited for any more. */
    private void endCards() {
        seen = now;
        calls().forEach(call -> call.legs().stream().filter(leg -> leg.start() != null && !leg.container() && !leg.trunk() && !leg.local())
                .forEach(leg -> call.cardEnd(leg, now).ifPresent(end -> cardEnds.putIfAbsent(leg.id(), end.reason() + " " + end.answeredBy()))));
    }

    /**
     * @param script an event a line, of one channel or two: {@code DialBegin 1.1>1.2 Exten=101}, where a channel is named at first:
     *            {@code Newchannel 1.1=PJSIP/101-00000001}; or a new connection; or what follows so far: {@code = registered: 1.1}
     */
    AsteriskLab plays(String script) {
        for (String line : script.lines().toList()) {
            String[] fact = line.split(": ");
            if (line.startsWith("= ")) {
                assertEquals(fact[1], told(fact[0].substring(2).split(" ")), line);
            } else if (line.equals("reconnects")) {
                reconnects();
            } else if (!line.startsWith("#")) {
                says(message(line.split(" ")));
            }
        }
        return this;
    }

    private String message(String[] words) {
        StringBuilder message = new StringBuilder("Event: " + words[0]);
        String[] ids = words.length == 1 ? new String[0] : words[1].split(">");
        for (int i = 0; i < ids.length; i++) {
            String[] channel = ids[i].split("=");
            String name = channel.length == 1 ? names.get(channel[0]) : channel[1];
            names.put(channel[0], name);
            message.append(ids[i].isEmpty() ? "" : "\n@Uniqueid: %s\n@Channel: %s".formatted(channel[0], name).replace("@", i == 0 ? "" : "Dest"));
        }
        Stream.of(words).skip(2).forEach(field -> message.append("\n").append(field.replaceFirst("=", ": ")));
        return message.toString();
    }

    private String told(String... fact) {
        Leg leg = fact.length == 1 ? null : leg(fact[1], !fact[0].equals("local"));
        return switch (fact[0]) {
            case "registered" -> registered().toString();
            case "missed" -> missed().toString();
            case "callers" -> callers().toString();
            case "events" -> String.valueOf(events.size());
            case "card" -> String.valueOf(cardEnd(fact[1]));
            case "leg", "local" -> leg.callId() + " " + leg.answered() + " " + leg.result() + " " + leg.party().number();
            default -> throw new IllegalArgumentException(fact[0]);
        };
    }

    AsteriskLab plays(List<Capture.Timed> messages) {
        return plays(messages, 0, Long.MAX_VALUE);
    }

    AsteriskLab plays(List<Capture.Timed> messages, long from, long to) {
        for (Capture.Timed timed : messages) {
            if (timed.millis() >= from && timed.millis() < to) {
                now = BEGIN.plusMillis(timed.millis());
                takes(timed.message());
            }
        }
        return this;
    }

    int events() {
        return events.size();
    }

    double seconds(Instant at) {
        return Duration.between(BEGIN, at).toNanos() / 1e9;
    }

    private List<Call> calls() {
        Map<String, List<CallEvent>> byCall = new LinkedHashMap<>();
        for (CallEvent event : read) {
            byCall.computeIfAbsent(event.callId(), id -> new ArrayList<>()).add(event);
        }
        return byCall.values().stream().map(of -> Call.of(directory, TestEvent.SETTINGS, of, List.of())).toList();
    }

    private Stream<Leg> legs() {
        return calls().stream().flatMap(call -> call.legs().stream());
    }

    /** @return {@code null} if it is not known */
    Truth.Leg seen(Truth.Leg expected) {
        Leg leg = leg(expected.id(), expected.outside());
        return leg == null ? null : new Truth.Leg(leg.callId(), leg.id(), leg.extension().name(), leg.flow().name().toLowerCase(), !leg.local(),
                leg.did(), seconds(leg.startedAt()), leg.answered() ? seconds(leg.answeredAt()) : null, seconds(leg.hangup().at()), cardEnd(leg.id()));
    }

    Leg leg(String id, boolean outside) {
        return legs().filter(leg -> leg.id().equals(id) && leg.local() != outside).findFirst().orElse(null);
    }

    /** Ids of the legs that are calls of their extensions. */
    List<String> registered() {
        return legs().filter(leg -> !leg.container() && !leg.trunk() && !leg.local() && (leg.answered() || leg.flow() == CallEvent.Flow.OUT))
                .map(Leg::id).toList();
    }

    List<String> missed() {
        return missedCalls().map(MissedCall::callId).toList();
    }

    private Stream<MissedCall> missedCalls() {
        return calls().stream().map(call -> call.decidingContainer() != null
                ? call.decidingContainer().hangup().bridged() ? null : call.missedAt(call.decidingContainer())
                : call.anyAnswered() || call.lost() ? null : call.missedWithoutContainer()).filter(Objects::nonNull);
    }

    /** The callers of all cards, calls and missed calls; {@code null}: one who is not known. */
    Set<String> callers() {
        Stream<Party> told = legs().filter(leg -> leg.flow() == CallEvent.Flow.IN && !leg.container() && !leg.trunk() && !leg.local()
                && (leg.answered() || leg.hangup() == null || cardShown(leg))).map(Leg::party);
        return Stream.concat(Stream.concat(told, missedCalls().map(MissedCall::party)), calls().stream().map(Call::outsideCaller))
                .map(Party::number).collect(Collectors.toCollection(HashSet::new));
    }

    /** Of a phone that does not ring the end is said before its begin. */
    private boolean cardShown(Leg leg) {
        return events.stream().filter(event -> leg.id().equals(event.get("SubCallID"))).findFirst().orElseThrow()
                .get("EventType").startsWith("dial-");
    }

    /** Ids of the legs of phones that have rung, or called somebody outside. */
    List<String> cards() {
        return legs().filter(leg -> leg.start() != null && !leg.container() && !leg.trunk() && !leg.local()).map(Leg::id).toList();
    }

    /** How the card of a leg ended, and who answered; {@code null}: it is there, or never was. */
    String cardEnd(String legId) {
        return cardEnds.get(legId);
    }

    @Override
    public String toString() {
        return events.toString();
    }
}
