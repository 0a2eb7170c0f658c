package io.callbridge.asterisk;

import io.netty.channel.Channel;
import org.apache.camel.Exchange;
import org.apache.camel.component.netty.NettyConsumer;
import org.apache.camel.component.netty.ServerInitializerFactory;

/**
 * Gives each connection of a route its {@link AmiConnection}. What that receives goes into the route from {@link AmiLink},
 * not through Netty's pipeline, which is gone when a connection has ended.
 */
final class AmiPipeline extends ServerInitializerFactory {

    private final AmiLink link;

    AmiPipeline(AmiLink link) {
        this.link = link;
    }

    @Override
    public ServerInitializerFactory createPipelineFactory(NettyConsumer consumer) {
        // Camel reads the interval each time it is about to connect again.
        link.begin(batch -> route(consumer, batch), ms -> consumer.getConfiguration().setReconnectInterval(ms));
        return new AmiPipeline(link);
    }

    @Override
    protected void initChannel(Channel channel) {
        channel.pipeline().addLast(new AmiConnection(link));
    }

    private static void route(NettyConsumer consumer, AmiBatch batch) {
        Exchange exchange = consumer.createExchange(false);
        exchange.getMessage().setBody(batch);
        try {
            consumer.createUoW(exchange);
            // The route's error handler has said what was wrong.
            consumer.getProcessor().process(exchange);
        } catch (Exception e) {
            consumer.getExceptionHandler().handleException(e);
        } finally {
            consumer.doneUoW(exchange);
            consumer.releaseExchange(exchange, false);
        }
    }
}
