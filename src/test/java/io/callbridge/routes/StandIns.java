package io.callbridge.routes;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.AmoCrmNotes;
import io.callbridge.deliver.Bitrix24Call;
import io.callbridge.deliver.CrmAnswer;
import io.callbridge.deliver.CrmList;
import io.callbridge.deliver.JsonAnswer;
import io.callbridge.deliver.JsonTemplate;
import io.callbridge.deliver.OAuthToken;
import io.callbridge.deliver.RecordingFile;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Variable;
import org.apache.camel.component.netty.DefaultChannelHandlerFactory;
import org.apache.camel.component.netty.NettyConsumer;
import org.apache.camel.component.netty.ServerInitializerFactory;
import org.apache.camel.util.concurrent.SynchronousExecutorService;

/**
 * Stand-ins for the beans that routes call by name, with the same public methods: each keeps that it was asked, and answers
 * what the test says. {@code RouteHarnessTest} compares the methods with those of the beans.
 */
final class StandIns {

    private StandIns() {
    }

    static Map<String, Object> all() {
        Map<String, Object> beans = new LinkedHashMap<>();
        beans.put("asterisk-main", new Pipeline());
        beans.put("tcpConnections", new TcpConnections());
        beans.put("jsonTemplate", new JsonTemplate(new ObjectMapper()));
        beans.put("jsonAnswer", new JsonAnswer(new ObjectMapper(), new JsonTemplate(new ObjectMapper())));
        beans.put("recordingFile", new RecordingFile());
        beans.put("crmToken", new OAuthToken(null, null, new JsonAnswer(new ObjectMapper(), null), new ObjectMapper()));
        beans.put("crmList", new CrmList());
        beans.put("amoCrmNotes", new AmoCrmNotes());
        beans.put("crmAnswer", new CrmAnswer());
        beans.put("crmMemory", new CrmMemory());
        beans.put("bitrix24Call", new Bitrix24Call(null, null, null));
        beans.put("crmRate", new CrmRate());
        beans.put("callerThread", new SynchronousExecutorService());
        return beans;
    }

    /** Nobody connects here either. */
    private static final class Pipeline extends ServerInitializerFactory {

        @Override
        public ServerInitializerFactory createPipelineFactory(NettyConsumer consumer) {
            return this;
        }

        @Override
        protected void initChannel(Channel channel) {
            throw new UnsupportedOperationException();
        }
    }

    /** Nobody connects: messages come in at {@code direct:}. */
    private static final class TcpConnections extends DefaultChannelHandlerFactory {

        @Override
        public ChannelHandler newChannelHandler() {
            throw new IllegalStateException("a route test does not listen");
        }
    }

    /** Keeps what it is told until the end of the test. */
    public static final class CrmMemory {

        private final Map<String, String> kept = new ConcurrentHashMap<>();

        public String recall(@Variable("key") String key, String name) {
            return kept.getOrDefault(key + " " + name, "");
        }

        public void keep(@Variable("key") String key, String name, String value) {
            kept.put(key + " " + name, value);
        }

        public String recallOfCall(Exchange exchange, String name) {
            return recall(call(exchange), name);
        }

        public void keepOfCall(Exchange exchange, String name, String value) {
            keep(call(exchange), name, value);
        }

        public String claimOfCall(Exchange exchange, String name, String value) {
            kept.putIfAbsent(call(exchange) + " " + name, value);
            return recall(call(exchange), name);
        }

        /** A missed call is one itself. */
        private static String call(Exchange exchange) {
            String callId = exchange.getVariable("callId", String.class);
            return callId == null || callId.isEmpty() ? exchange.getVariable("key", String.class) : callId;
        }

        public void forget(@Variable("key") String key, String name) {
            kept.remove(key + " " + name);
        }
    }

    /** Every request may go: no step of a test. */
    public static final class CrmRate {

        public void permit() {
            // At once.
        }
    }

}
