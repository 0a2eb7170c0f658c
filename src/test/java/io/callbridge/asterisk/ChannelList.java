package io.callbridge.asterisk;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The channels of an Asterisk at a moment of a capture, as {@code CoreShowChannels} and {@code Status} list them. */
final class ChannelList {

    private final Map<String, Map<String, String>> channels = new LinkedHashMap<>();

    /** @return its items, without their event */
    static String[] after(List<Capture.Timed> messages) {
        ChannelList list = new ChannelList();
        messages.forEach(timed -> list.follow(timed.message()));
        return list.channels.values().stream().map(channel -> String.join("\n", channel.entrySet().stream()
                .map(field -> field.getKey() + ": " + field.getValue()).toList())).toArray(String[]::new);
    }

    private void follow(AmiMessage message) {
        String id = message.get("Uniqueid");
        if (message.event().equals("Newchannel")) {
            channels.put(id, new TreeMap<>(Map.of("Uniqueid", id, "Channel", message.get("Channel"), "DNID", message.get("Exten"))));
        }
        Map<String, String> channel = channels.get(id);
        if (channel == null) {
            return;
        }
        for (String field : List.of("ChannelState", "CallerIDNum", "Linkedid")) {
            channel.put(field, message.get(field));
        }
        switch (message.event()) {
            case "Newexten", "AgentLogin" -> channel.put("Application", message.event().equals("AgentLogin") ? "AgentLogin" : message.get("Application"));
            case "BridgeEnter" -> channel.put("BridgeId", message.get("BridgeUniqueid"));
            case "BridgeLeave" -> channel.remove("BridgeId");
            case "Hangup" -> channels.remove(id);
            default -> { }
        }
    }
}
