package io.callbridge.asterisk;

import io.callbridge.platform.AsteriskDialplan;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One channel of an Asterisk, as far as its events have told. */
final class Channel {

    /** What is at the other end of a channel. {@code LOCAL}: another channel of the dialplan; {@code OTHER}: nobody. */
    enum Kind {
        EXTENSION, TRUNK, LOCAL, OTHER
    }

    /** {@code TECH/ENDPOINT-xxxxxxxx}; other drivers end with something else behind the last dash. */
    private static final Pattern NAME = Pattern.compile("([^/]+)/(.+?)(?:-[0-9a-f]{8}|-[^-]*)?(?:;[12])?");
    /** Technologies of channels that Asterisk makes for itself. */
    private static final Set<String> NOBODY = Set.of("Message", "AsyncGoto", "Surrogate", "Snoop", "CBAnn", "CBRec", "Announcer",
            "Recorder", "Bridge", "MulticastRTP", "UnicastRTP");

    final String id;
    final String name;
    final String endpoint;
    final Kind kind;
    final Instant createdAt;

    /** The call that its legs belong to: the Linkedid of the first channel at its beginning, which living channels may lose. */
    String callId;
    String linkedId;
    /** Number of the outside party on a trunk. */
    String number = "";
    String did = "";
    /** What it dialled. */
    String exten = "";
    /** It was there when the connection was made: how it began was not heard. */
    boolean found;
    boolean ringing;
    boolean up;
    String bridge;
    /** Who dialled it; {@code null}: nobody, or an action of the manager interface. */
    Channel dialledBy;
    boolean dialled;
    Instant answeredAt;
    /** The first one said: queues cancel a leg twice, or after it has not answered. */
    String dialStatus = "";
    final List<Channel> dials = new ArrayList<>();
    final List<String> recordings = new ArrayList<>();

    /** The leg of an extension, and of a trunk in a call that came from outside. */
    ChannelLeg leg;
    /** Of an extension. */
    Conversation conversation;
    /** An agent who waits on this channel for one call after the other. */
    boolean agent;
    /** A leg was named after the channel. */
    boolean named;

    /** Of a trunk: nobody knows yet whether it is a caller's. */
    boolean undecided;
    /** It began before the line rang. */
    boolean preRing;

    /** Of a caller from outside. */
    boolean rangPhones;
    /** A phone has shown his number, or somebody talks to him. */
    boolean presented;
    Instant lastConversationAt;
    final List<QueueVisit> queues = new ArrayList<>();
    final List<Conversation> conversations = new ArrayList<>();

    static final class QueueVisit {
        final ChannelLeg leg;
        final Instant joinedAt;
        Instant leftAt;

        QueueVisit(ChannelLeg leg, Instant joinedAt) {
            this.leg = leg;
            this.joinedAt = joinedAt;
        }
    }

    Channel(String id, String name, AsteriskDialplan dialplan, Instant createdAt) {
        this.id = id;
        this.name = name;
        this.createdAt = createdAt;
        Matcher matcher = NAME.matcher(name);
        boolean readable = matcher.matches();
        this.endpoint = readable ? matcher.group(2) : name;
        String technology = readable ? matcher.group(1) : "";
        this.kind = technology.equals("Local") ? Kind.LOCAL : !readable || NOBODY.contains(technology) ? Kind.OTHER
                : dialplan.trunk(endpoint) ? Kind.TRUNK : Kind.EXTENSION;
    }

    boolean extension() {
        return kind == Kind.EXTENSION;
    }

    boolean trunk() {
        return kind == Kind.TRUNK;
    }

    boolean local() {
        return kind == Kind.LOCAL;
    }

    /** Name of the other half of a Local channel. */
    String otherHalf() {
        return name.substring(0, name.length() - 1) + (name.endsWith("1") ? '2' : '1');
    }
}
