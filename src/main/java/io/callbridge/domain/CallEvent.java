package io.callbridge.domain;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * One event of one leg as the PBX reported it, in the PBX's words but free of its notation: trimmed, ids and
 * enumerations in lower case, an empty field is {@code null} (rule R2). Numbers stay raw: {@link Directory} reads them.
 *
 * @param pbx short name of the PBX in our configuration
 * @param callId {@code CallID}: the call; every leg of it, IVR and queue included, has the same
 * @param legId {@code SubCallID}: the leg
 * @param flow direction as seen from the extension that emits the event; {@code null} when not said
 * @param status {@code CallStatus}, lower case
 * @param remoteNumber outside number that a colleague handed over (rule R13)
 * @param bridged only on the hangup of an IVR or queue: was the caller connected with somebody
 * @param transferred {@code Transfered=yes}: the leg exists because of a forwarding rule
 * @param callBackId present when the call was started through the PBX's API (rules R44, R47)
 * @param duration talk time, ringing excluded, in the unit of the PBX: {@link Leg} tells it; {@code null} when absent or absurd
 * @param time {@code EventTime}; {@code null} when absent or absurd
 * @param arrivedAt when Callbridge received it: ages and delays are counted from here
 * @param channel the channel of the leg at an Asterisk; {@code null} of any other PBX. Where there is one, a side of the call is
 *            an extension exactly if its extension field names one: the channel's name says so, whatever the numbers look like
 * @param extensionType what the leg's own side is, where the PBX says it; {@code null}: it does not
 */
public record CallEvent(String pbx, Type type, String callId, String legId, Flow flow, String status, String caller,
        String called, String callerExtension, String calledExtension, String callerExtensionId,
        String calledExtensionId, String did, String remoteNumber, Boolean bridged, boolean transferred,
        String callBackId, Long duration, Instant time, Instant arrivedAt, String recordingId,
        String channel, Extension.Type extensionType) {

    /** The four call events (rule R3). */
    public enum Type {
        DIAL_IN("dial-in"), DIAL_OUT("dial-out"), ANSWER("answer"), HANGUP("hangup");

        public final String word;

        Type(String word) {
            this.word = word;
        }

        /** @return the type, or {@code null} for any other event family */
        public static Type of(String word) {
            for (Type type : values()) {
                if (type.word.equals(word)) {
                    return type;
                }
            }
            return null;
        }
    }

    /** {@code CallFlow}. */
    public enum Flow {
        IN, OUT
    }

    /** The event's own time; its arrival when the PBX sent none. */
    public Instant at() {
        return time != null ? time : arrivedAt;
    }

    public boolean dial() {
        return type == Type.DIAL_IN || type == Type.DIAL_OUT;
    }

    /** What a PBX may add when it sends an event again. */
    List<Object> details() {
        return Arrays.asList(flow, status, caller, called, callerExtension, calledExtension, callerExtensionId, calledExtensionId, did,
                callBackId, duration, time, recordingId, channel, extensionType);
    }

    /**
     * Tells the same as another one, as far as both say it. An IVR or queue that says how it ended, and a leg that gets another
     * party, have something new to tell.
     */
    boolean repeats(CallEvent other) {
        List<Object> mine = details();
        List<Object> theirs = other.details();
        return type == other.type && transferred == other.transferred && Objects.equals(bridged, other.bridged)
                && Objects.equals(remoteNumber, other.remoteNumber)
                && IntStream.range(0, mine.size()).allMatch(i -> mine.get(i) == null || theirs.get(i) == null || mine.get(i).equals(theirs.get(i)));
    }

    /** The event with what one that {@link #repeats} it adds. */
    CallEvent with(CallEvent other) {
        return new CallEvent(pbx, type, callId, legId, either(flow, other.flow), either(status, other.status), either(caller, other.caller),
                either(called, other.called), either(callerExtension, other.callerExtension), either(calledExtension, other.calledExtension),
                either(callerExtensionId, other.callerExtensionId), either(calledExtensionId, other.calledExtensionId), either(did, other.did),
                remoteNumber, bridged, transferred, either(callBackId, other.callBackId), either(duration, other.duration),
                either(time, other.time), arrivedAt.isBefore(other.arrivedAt) ? arrivedAt : other.arrivedAt,
                either(recordingId, other.recordingId), either(channel, other.channel), either(extensionType, other.extensionType));
    }

    private static <T> T either(T one, T other) {
        return one != null ? one : other;
    }
}
