package io.callbridge.platform;

import io.smallrye.config.ConfigSourceContext;
import io.smallrye.config.ConfigSourceFactory;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.PropertiesConfigSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * Switches Quarkus's OpenID Connect on if {@code callbridge.admin.oidc} says all that it needs, and hands it over; what is said
 * wrongly, {@link LoginSettings} refuses. What {@code quarkus.oidc} says itself counts more.
 */
public class LoginSource implements ConfigSourceFactory {

    @Override
    public Iterable<ConfigSource> getConfigSources(ConfigSourceContext context) {
        String url = value(context, LoginSettings.URL);
        String client = value(context, LoginSettings.CLIENT_ID);
        String secret = value(context, LoginSettings.CLIENT_SECRET);
        boolean enabled = url.matches("https?://[^/].*") && !client.isBlank() && !secret.isBlank();
        Map<String, String> properties = new HashMap<>();
        properties.put("quarkus.oidc.tenant-enabled", Boolean.toString(enabled));
        if (enabled) {
            properties.put("quarkus.oidc.auth-server-url", url);
            properties.put("quarkus.oidc.client-id", client);
            properties.put("quarkus.oidc.credentials.secret", secret);
            // A token that was made for another application is none for this one.
            properties.put("quarkus.oidc.token.audience", client);
            // Made up by every process otherwise: a session would end with it, and be none for the other replicas.
            properties.put("quarkus.oidc.authentication.state-secret", Settings.hex("state\n" + secret));
            properties.put("quarkus.oidc.token-state-manager.encryption-secret", Settings.hex("session\n" + secret));
        }
        return List.of(new PropertiesConfigSource(properties, "login", 50));
    }

    private static String value(ConfigSourceContext context, String key) {
        ConfigValue given = context.getValue("callbridge." + key);
        return given == null || given.getValue() == null ? "" : given.getValue();
    }

    @Override
    public OptionalInt getPriority() {
        return OptionalInt.of(50);
    }
}
