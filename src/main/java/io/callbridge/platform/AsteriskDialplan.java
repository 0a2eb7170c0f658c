package io.callbridge.platform;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What has to be known about the dialplan of an Asterisk (contract section 1).
 *
 * @param trunks endpoint names of trunks, {@code *} as wildcard; every other endpoint is an extension
 * @param inboundContexts contexts in which the first {@code Exten} of a trunk's channel is the DID, {@code *} as wildcard
 * @param didVariable channel variable that holds the DID instead; empty: none
 */
public record AsteriskDialplan(List<String> trunks, List<String> inboundContexts, String didVariable) {

    public boolean trunk(String endpoint) {
        return matches(trunks, endpoint);
    }

    public boolean inbound(String context) {
        return matches(inboundContexts, context);
    }

    private static boolean matches(List<String> patterns, String name) {
        return patterns.stream().anyMatch(pattern -> Pattern.matches(Stream.of(pattern.split("\\*", -1)).map(Pattern::quote)
                .collect(Collectors.joining(".*")), name));
    }
}
