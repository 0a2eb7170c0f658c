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

    static Map<String, Object> all(RouteHarness routes) {
        Map<String, Object> beans = new LinkedHashMap<>();
        beans.put("effects", new Effects(routes));
        beans.put("callLoader", new CallLoader(routes));
        beans.put("legFacts", new LegFacts(routes));
        beans.put("cardFacts", new CardFacts(routes));
        beans.put("missedFacts", new MissedFacts(routes));
        beans.put("webhookReader", new WebhookReader(routes));
        beans.put("asteriskReader", new AsteriskReader(routes));
        beans.put("asterisk-main", new Pipeline());
        beans.put("tcpReader", new TcpReader(routes));
        beans.put("tcpConnections", new TcpConnections());
        beans.put("eventStore", new EventStore(routes));
        beans.put("entityLookup", new EntityLookup(routes));
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
        beans.put("crmUsers", new CrmUsers(routes));
        beans.put("crmProbe", new CrmProbe(routes));
        beans.put("deliveryResult", new DeliveryResult(routes));
        beans.put("recovery", new Recovery(routes));
        beans.put("explanation", new Explanation(routes));
        beans.put("callList", new CallList(routes));
        beans.put("deliveryList", new DeliveryList(routes));
        beans.put("deliveryRepair", new DeliveryRepair(routes));
        beans.put("status", new Status(routes));
        beans.put("setup", new Setup(routes));
        beans.put("crmCheck", new CrmCheck(routes));
        beans.put("auditList", new AuditList(routes));
        beans.put("reprocessRequest", new ReprocessRequest(routes));
        beans.put("reprocess", new Reprocess(routes));
        beans.put("retention", new Retention(routes));
        beans.put("callerThread", new SynchronousExecutorService());
        return beans;
    }

    /** No method here: it would be one of the bean's to Camel, which may choose by the parameters. */
    private abstract static class StandIn {

        final RouteHarness routes;

        StandIn(RouteHarness routes) {
            this.routes = routes;
        }
    }

    public static final class Effects extends StandIn {

        Effects(RouteHarness routes) {
            super(routes);
        }

        public void answer(Exchange exchange) throws Exception {
            routes.asked("effects.answer", exchange);
        }

        public void showCard(Exchange exchange) throws Exception {
            routes.asked("effects.showCard", exchange);
        }

        public void endCard(Exchange exchange) throws Exception {
            routes.asked("effects.endCard", exchange);
        }

        public void registerCall(Exchange exchange) throws Exception {
            routes.asked("effects.registerCall", exchange);
        }

        public void registerForwarded(Exchange exchange) throws Exception {
            routes.asked("effects.registerForwarded", exchange);
        }

        public void registerMissed(Exchange exchange) throws Exception {
            routes.asked("effects.registerMissed", exchange);
        }

        public void registerServed(Exchange exchange) throws Exception {
            routes.asked("effects.registerServed", exchange);
        }

        public void explain(Exchange exchange) throws Exception {
            routes.asked("effects.explain", exchange);
        }

        public void fail(Exchange exchange) throws Exception {
            routes.asked("effects.fail", exchange);
        }

        public void commit(Exchange exchange) throws Exception {
            routes.asked("effects.commit", exchange);
        }
    }

    public static final class CallLoader extends StandIn {

        CallLoader(RouteHarness routes) {
            super(routes);
        }

        public void load(Exchange exchange) throws Exception {
            routes.asked("callLoader.load", exchange);
            Facts.put(exchange);
        }

        public void look(Exchange exchange) throws Exception {
            Facts.put(exchange);
        }
    }

    public static final class LegFacts extends StandIn {

        LegFacts(RouteHarness routes) {
            super(routes);
        }

        public void of(Exchange exchange) throws Exception {
            routes.answered("legFacts.of", exchange);
        }
    }

    public static final class CardFacts extends StandIn {

        CardFacts(RouteHarness routes) {
            super(routes);
        }

        public List<?> legs(Exchange exchange) throws Exception {
            Object answer = routes.asked("cardFacts.legs", exchange);
            return answer == null ? new ArrayList<>() : (List<?>) answer;
        }

        /** The legs are their facts here. */
        public void of(Exchange exchange) throws Exception {
            Facts.put(exchange);
        }
    }

    public static final class MissedFacts extends StandIn {

        MissedFacts(RouteHarness routes) {
            super(routes);
        }

        public void of(Exchange exchange) throws Exception {
            routes.answered("missedFacts.of", exchange);
        }
    }

    public static final class WebhookReader extends StandIn {

        WebhookReader(RouteHarness routes) {
            super(routes);
        }

        public Object read(Exchange exchange) throws Exception {
            return routes.asked("webhookReader.read", exchange);
        }
    }

    public static final class TcpReader extends StandIn {

        TcpReader(RouteHarness routes) {
            super(routes);
        }

        public Object read(Exchange exchange) throws Exception {
            return routes.asked("tcpReader.read", exchange);
        }
    }

    public static final class AsteriskReader extends StandIn {

        AsteriskReader(RouteHarness routes) {
            super(routes);
        }

        public Object read(Exchange exchange) throws Exception {
            return routes.asked("asteriskReader.read", exchange);
        }
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

    public static final class EventStore extends StandIn {

        EventStore(RouteHarness routes) {
            super(routes);
        }

        public void append(Exchange exchange) throws Exception {
            routes.asked("eventStore.append", exchange);
        }

        public void appendAll(Exchange exchange) throws Exception {
            routes.asked("eventStore.appendAll", exchange);
        }
    }

    public static final class EntityLookup extends StandIn {

        EntityLookup(RouteHarness routes) {
            super(routes);
        }

        public Object request(Exchange exchange) throws Exception {
            return routes.asked("entityLookup.request", exchange);
        }
    }

    public static final class DeliveryResult extends StandIn {

        DeliveryResult(RouteHarness routes) {
            super(routes);
        }

        public void delivered(Exchange exchange) throws Exception {
            routes.asked("deliveryResult.delivered", exchange);
        }

        public void retryLater(Exchange exchange) throws Exception {
            routes.asked("deliveryResult.retryLater", exchange);
        }

        public void deadLetter(Exchange exchange) throws Exception {
            routes.asked("deliveryResult.deadLetter", exchange);
        }
    }

    public static final class Recovery extends StandIn {

        Recovery(RouteHarness routes) {
            super(routes);
        }

        public void timers(Exchange exchange) throws Exception {
            routes.asked("recovery.timers", exchange);
        }

        public void events(Exchange exchange) throws Exception {
            routes.asked("recovery.events", exchange);
        }
    }

    public static final class Explanation extends StandIn {

        Explanation(RouteHarness routes) {
            super(routes);
        }

        public Object of(Exchange exchange, @Header("callId") String callId) throws Exception {
            exchange.setVariable("call", callId);
            return routes.asked("explanation.of", exchange);
        }
    }

    /** These too ask for what the beans ask for. */
    public static final class CallList extends StandIn {

        CallList(RouteHarness routes) {
            super(routes);
        }

        public Object page(Exchange exchange, @Header(Exchange.HTTP_RAW_QUERY) String query) throws Exception {
            exchange.setVariable("asked", query);
            return routes.asked("callList.page", exchange);
        }
    }

    public static final class DeliveryList extends StandIn {

        DeliveryList(RouteHarness routes) {
            super(routes);
        }

        public Object page(Exchange exchange, @Header(Exchange.HTTP_RAW_QUERY) String query) throws Exception {
            exchange.setVariable("asked", query);
            return routes.asked("deliveryList.page", exchange);
        }

        public Object one(Exchange exchange, @Header("id") String id, @Header(Exchange.HTTP_RAW_QUERY) String query) throws Exception {
            exchange.setVariable("asked", id + "?" + query);
            return routes.asked("deliveryList.one", exchange);
        }
    }

    public static final class DeliveryRepair extends StandIn {

        DeliveryRepair(RouteHarness routes) {
            super(routes);
        }

        public Object retry(Exchange exchange, @Header("id") String id, @Header(Exchange.HTTP_RAW_QUERY) String query,
                @Header("Callbridge-Who") String who) throws Exception {
            exchange.setVariable("asked", id + "?" + query + " by " + who);
            return routes.asked("deliveryRepair.retry", exchange);
        }

        public Object discard(Exchange exchange, @Header("id") String id, @Header(Exchange.HTTP_RAW_QUERY) String query,
                @Header("Callbridge-Who") String who) throws Exception {
            exchange.setVariable("asked", id + "?" + query + " by " + who);
            return routes.asked("deliveryRepair.discard", exchange);
        }

        public Object retryAll(Exchange exchange, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header("Callbridge-Who") String who)
                throws Exception {
            exchange.setVariable("asked", query + " by " + who);
            return routes.asked("deliveryRepair.retryAll", exchange);
        }

        public Object discardAll(Exchange exchange, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header("Callbridge-Who") String who)
                throws Exception {
            exchange.setVariable("asked", query + " by " + who);
            return routes.asked("deliveryRepair.discardAll", exchange);
        }
    }

    public static final class Status extends StandIn {

        Status(RouteHarness routes) {
            super(routes);
        }

        public Object of(Exchange exchange, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header("Callbridge-Who") String who)
                throws Exception {
            exchange.setVariable("asked", query + " by " + who);
            return routes.asked("status.of", exchange);
        }
    }

    public static final class Setup extends StandIn {

        Setup(RouteHarness routes) {
            super(routes);
        }

        public Object of(Exchange exchange, @Header(Exchange.HTTP_RAW_QUERY) String query) throws Exception {
            exchange.setVariable("asked", query);
            return routes.asked("setup.of", exchange);
        }

        public Object webhook(Exchange exchange, @Header("pbx") String pbx, @Header(Exchange.HTTP_RAW_QUERY) String query,
                @Header("Callbridge-Who") String who) throws Exception {
            exchange.setVariable("asked", pbx + " " + query + " by " + who);
            return routes.asked("setup.webhook", exchange);
        }
    }

    public static final class CrmCheck extends StandIn {

        CrmCheck(RouteHarness routes) {
            super(routes);
        }

        public Object of(Exchange exchange, @Header("crm") String crm, @Header(Exchange.HTTP_RAW_QUERY) String query,
                @Header("Callbridge-Who") String who) throws Exception {
            exchange.setVariable("asked", crm + "?" + query + " by " + who);
            return routes.asked("crmCheck.of", exchange);
        }
    }

    public static final class AuditList extends StandIn {

        AuditList(RouteHarness routes) {
            super(routes);
        }

        public Object page(Exchange exchange, @Header(Exchange.HTTP_RAW_QUERY) String query) throws Exception {
            exchange.setVariable("asked", query);
            return routes.asked("auditList.page", exchange);
        }
    }

    public static final class ReprocessRequest extends StandIn {

        ReprocessRequest(RouteHarness routes) {
            super(routes);
        }

        public Object begin(Exchange exchange) throws Exception {
            exchange.setVariable("asked", exchange.getMessage().getHeader(Exchange.HTTP_RAW_QUERY));
            return routes.asked("reprocessRequest.begin", exchange);
        }

        public Object job(Exchange exchange, @Header("job") String id, @Header(Exchange.HTTP_RAW_QUERY) String query) throws Exception {
            exchange.setVariable("asked", id + " " + query);
            return routes.asked("reprocessRequest.job", exchange);
        }

        public Object stop(Exchange exchange, @Header("job") String id, @Header(Exchange.HTTP_RAW_QUERY) String query,
                @Header("Callbridge-Who") String who) throws Exception {
            exchange.setVariable("asked", id + " " + query + " by " + who);
            return routes.asked("reprocessRequest.stop", exchange);
        }
    }

    public static final class Reprocess extends StandIn {

        Reprocess(RouteHarness routes) {
            super(routes);
        }

        public Object calls(Exchange exchange) throws Exception {
            Object answer = routes.asked("reprocess.calls", exchange);
            return answer == null ? new ArrayList<>().iterator() : answer;
        }

        public Object looks(Exchange exchange) throws Exception {
            Object answer = routes.asked("reprocess.looks", exchange);
            return answer == null ? new ArrayList<>() : answer;
        }

        public void settle(Exchange exchange) throws Exception {
            routes.asked("reprocess.settle", exchange);
        }

        public void fail(Exchange exchange) throws Exception {
            routes.asked("reprocess.fail", exchange);
        }

        public void finish(Exchange exchange) throws Exception {
            routes.asked("reprocess.finish", exchange);
        }

        public void breakOff(Exchange exchange) throws Exception {
            routes.asked("reprocess.breakOff", exchange);
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

    public static final class CrmUsers extends StandIn {

        CrmUsers(RouteHarness routes) {
            super(routes);
        }

        public void refresh(Exchange exchange) throws Exception {
            routes.asked("crmUsers.refresh", exchange);
        }
    }

    public static final class CrmProbe extends StandIn {

        CrmProbe(RouteHarness routes) {
            super(routes);
        }

        public void probe(Exchange exchange) throws Exception {
            routes.asked("crmProbe.probe", exchange);
        }
    }

    public static final class Retention extends StandIn {

        Retention(RouteHarness routes) {
            super(routes);
        }

        public void purge(Exchange exchange) throws Exception {
            routes.asked("retention.purge", exchange);
        }
    }
}
