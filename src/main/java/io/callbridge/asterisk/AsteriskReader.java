package io.callbridge.asterisk;

import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Body;

/** Reads what Asterisks say. */
@ApplicationScoped
@Named("asteriskReader")
@RegisterForReflection
public class AsteriskReader {

    /** Action ids of the lists that are asked for on every new connection, to be answered in this order. */
    public static final String STATUS = "callbridge-status";
    public static final String CHANNELS = "callbridge-channels";

    /** The events that say something about calls. */
    public static final Set<String> EVENTS = Set.of("Newchannel", "Newstate", "NewCallerid", "DialBegin", "DialEnd", "BridgeEnter",
            "BridgeLeave", "Hangup", "LocalBridge", "BlindTransfer", "AttendedTransfer", "Pickup", "ParkedCall", "UnParkedCall",
            "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentConnect", "AgentLogin", "VarSet", "Cdr", "Rename",
            "OriginateResponse", "CoreShowChannel", "CoreShowChannelsComplete", "Status", "StatusComplete", "Shutdown");

    /** @return the call events that follow, each with {@code pbx} and {@code fields} */
    public List<Map<String, Object>> read(@Body AmiBatch batch) {
        return List.of();
    }
}
