package io.callbridge.platform;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * How to get to the manager interface of an Asterisk (contract section 1).
 *
 * @param tls {@code null}: none
 * @param idPrefix in front of CallID and SubCallID, which several Asterisks may choose equal; may be empty
 * @param plainLogin the secret may go in clear if the Asterisk offers no challenge
 */
public record AmiSettings(String host, int port, String username, String secret, SslContext tls, boolean plainLogin,
        String idPrefix, AsteriskDialplan dialplan) {

    private static final int PORT = 5038;

    /**
     * Of the keys {@code ami.*} of a PBX, which are right by themselves.
     *
     * @param several there are other Asterisks: ids of each have a prefix
     * @return empty if the PBX has no {@code ami.host}
     * @throws StartException if a key is missing, or is there without another one
     */
    static Optional<AmiSettings> read(String pbx, BridgeConfig.Ami ami, boolean several) {
        String at = "pbx." + pbx + ".ami.";
        if (ami.host().isEmpty()) {
            given(ami).forEach((key, value) -> value.ifPresent(there -> {
                throw new StartException("callbridge." + at + key + " is set; allowed: together with callbridge." + at
                        + "host, which is missing");
            }));
            return Optional.empty();
        }
        if (!pbx.matches("[\\w.-]+")) {
            throw Settings.invalid(at + "host", ami.host().get(), "at a PBX whose name has letters, digits, dots, - and _ only");
        }
        boolean tls = Boolean.parseBoolean(ami.tls().orElse("false"));
        if (!tls && ami.tlsCa().isPresent()) {
            throw Settings.invalid(at + "tls-ca", ami.tlsCa().get(), "together with callbridge." + at + "tls=true");
        }
        String idPrefix = ami.idPrefix().orElse(several ? pbx + "-" : "");
        if (!Keys.fits("pbx.<pbx>.ami.id-prefix", idPrefix)) {
            throw Settings.invalid(at + "id-prefix", idPrefix, "50 characters at most, also those of the name of a PBX");
        }
        return Optional.of(new AmiSettings(ami.host().get(), ami.port().map(Integer::parseInt).orElse(PORT),
                needed(at + "username", ami.username()), needed(at + "secret", ami.secret()), tls ? tls(at + "tls-ca", ami.tlsCa()) : null,
                Boolean.parseBoolean(ami.plainLogin().orElse("false")), idPrefix,
                new AsteriskDialplan(Settings.list(needed(at + "trunks", ami.trunks())), Settings.list(ami.inboundContexts().orElse("")),
                        ami.didVariable().orElse(""))));
    }

    private static Map<String, Optional<String>> given(BridgeConfig.Ami ami) {
        Map<String, Optional<String>> given = new LinkedHashMap<>();
        given.put("port", ami.port());
        given.put("username", ami.username());
        given.put("secret", ami.secret());
        given.put("plain-login", ami.plainLogin());
        given.put("tls", ami.tls());
        given.put("tls-ca", ami.tlsCa());
        given.put("trunks", ami.trunks());
        given.put("inbound-contexts", ami.inboundContexts());
        given.put("did-variable", ami.didVariable());
        given.put("id-prefix", ami.idPrefix());
        return given;
    }

    private static String needed(String key, Optional<String> value) {
        return value.orElseThrow(() -> new StartException("callbridge." + key + " is missing: a PBX with ami.host needs it"));
    }

    /** As it may be shown: without the secret. */
    @Override
    public String toString() {
        return username + "@" + host + ":" + port;
    }

    private static SslContext tls(String key, Optional<String> ca) {
        try {
            SslContextBuilder client = SslContextBuilder.forClient().sslProvider(SslProvider.JDK).protocols("TLSv1.3", "TLSv1.2")
                    .endpointIdentificationAlgorithm("HTTPS");
            ca.ifPresent(file -> client.trustManager(TcpTls.certificates(key, file)));
            return client.build();
        } catch (SSLException e) {
            throw new StartException("callbridge." + key + ": TLS cannot be used: " + e.getMessage(), e);
        }
    }
}
