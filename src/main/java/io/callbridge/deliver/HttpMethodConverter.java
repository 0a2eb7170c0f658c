package io.callbridge.deliver;

import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Locale;
import org.apache.camel.CamelContext;
import org.apache.camel.component.http.HttpMethods;
import org.apache.camel.spi.CamelContextCustomizer;
import org.apache.camel.support.SimpleTypeConverter;

/**
 * Reads the header {@code CamelHttpMethod} of a request to a CRM. Camel has no converter for it, and asks all that it has
 * before it looks among the names of the methods: a tenth of what complete calls cost.
 */
@ApplicationScoped
@Unremovable
public class HttpMethodConverter implements CamelContextCustomizer {

    @Override
    public void configure(CamelContext context) {
        context.getTypeConverterRegistry().addTypeConverter(HttpMethods.class, String.class, new SimpleTypeConverter(false,
                (type, exchange, name) -> HttpMethods.valueOf(((String) name).strip().toUpperCase(Locale.ROOT))));
    }
}
