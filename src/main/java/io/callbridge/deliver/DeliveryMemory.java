package io.callbridge.deliver;

import io.callbridge.store.Delivery;
import io.callbridge.store.Memory;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Objects;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;

/**
 * What the CRM said about the leg or call of a delivery, durably: the id that it gave, or that something was sent whose answer
 * may get lost. A card, its call and its recording share it, since they have the same id.
 */
@ApplicationScoped
@Named("crmMemory")
@RegisterForReflection
public class DeliveryMemory {

    private final Memory memory;

    public DeliveryMemory(Memory memory) {
        this.memory = memory;
    }

    /** @return empty: nothing of that name is kept */
    public String recall(Exchange exchange, String name) {
        return Objects.toString(memory.recall(delivery(exchange).crm(), leg(exchange), name), "");
    }

    /** Returns when it is durable. */
    public void keep(Exchange exchange, String name, String value) {
        memory.keep(delivery(exchange).crm(), leg(exchange), name, value).join();
    }

    public void forget(Exchange exchange, String name) {
        memory.forget(delivery(exchange).crm(), leg(exchange), name).join();
    }

    /** The same about the call, whichever of its legs the delivery is about. */
    public String recallOfCall(@ExchangeProperty(Dispatcher.DELIVERY) Delivery delivery, String name) {
        return Objects.toString(memory.recall(delivery.crm(), about(delivery, delivery.callId()), name), "");
    }

    /** The first of several legs that claim something of the call has it. Returns when it is durable. @return what the first one said */
    public String claimOfCall(@ExchangeProperty(Dispatcher.DELIVERY) Delivery delivery, String name, String value) {
        memory.keepFirst(delivery.crm(), about(delivery, delivery.callId()), name, value).join();
        return recallOfCall(delivery, name);
    }

    private static Delivery delivery(Exchange exchange) {
        return exchange.getProperty(Dispatcher.DELIVERY, Delivery.class);
    }

    /** A route may have given the effect another name: a missed call whose id is also that of a leg. */
    private static String leg(Exchange exchange) {
        return about(delivery(exchange), exchange.getVariable("key", String.class));
    }

    /** Two PBXs may use equal ids. */
    private static String about(Delivery delivery, String id) {
        return delivery.pbx() + " " + id;
    }
}
