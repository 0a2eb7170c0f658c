package io.callbridge.asterisk;

import io.callbridge.platform.Settings;
import jakarta.enterprise.context.ApplicationScoped;
import org.apache.camel.builder.RouteBuilder;

/** Makes a route {@code ingest-asterisk-<pbx>} of the template {@code ingest-asterisk} for each PBX that has {@code ami.host}. */
@ApplicationScoped
public class AsteriskRoutes extends RouteBuilder {

    private static final String TEMPLATE = "ingest-asterisk";

    private final Settings settings;
    private final Asterisks asterisks;

    public AsteriskRoutes(Settings settings, Asterisks asterisks) {
        this.settings = settings;
        this.asterisks = asterisks;
    }

    @Override
    public void configure() {
        for (String pbx : settings.asterisks()) {
            AmiSettings target = settings.asterisk(pbx).orElseThrow();
            getContext().getRegistry().bind(Asterisks.namespace(pbx), asterisks.pipeline(pbx));
            String host = target.host().contains(":") ? "[" + target.host() + "]" : target.host();
            templatedRoute(TEMPLATE).routeId(TEMPLATE + "-" + pbx).parameter("pbx", pbx)
                    .parameter("address", host + ":" + target.port());
        }
    }
}
