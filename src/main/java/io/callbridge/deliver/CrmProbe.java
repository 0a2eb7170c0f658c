package io.callbridge.deliver;

import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.jboss.logging.Logger;

/** Tells the administrator at the start what a CRM will refuse: its route {@code deliver-<crm>-probe} fails and says why. */
@ApplicationScoped
@Named("crmProbe")
@RegisterForReflection
public class CrmProbe {

    private static final Logger LOG = Logger.getLogger(CrmProbe.class);

    private final CrmCapabilities capabilities;
    private final Settings settings;
    private final ProducerTemplate template;

    public CrmProbe(CrmCapabilities capabilities, Settings settings, ProducerTemplate template) {
        this.capabilities = capabilities;
        this.settings = settings;
        this.template = template;
    }

    public void probe() {
        settings.crms().stream().filter(crm -> capabilities.can(crm, CrmCapabilities.PROBE)).forEach(crm -> {
            Exchange answered = template.send("direct:deliver-" + crm + "-" + CrmCapabilities.PROBE, exchange -> {
                exchange.setVariable("crm", crm);
                exchange.setVariable("lane", Delivery.CALLS);
                exchange.setVariable("operation", CrmCapabilities.PROBE);
            });
            if (answered.getException() != null) {
                LOG.errorf("CRM %s does not take calls now: %s", crm, Failures.said(answered.getException()));
            } else {
                LOG.infof("CRM %s answers", crm);
            }
        });
    }
}
