package io.callbridge.platform;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/** Reads and checks the keys {@code ami.*} of a PBX. */
final class AmiKeys {

    private static final int PORT = 5038;

    private AmiKeys() {
    }

    /**
     * @param several there are other Asterisks: ids of each have a prefix
     * @return empty if the PBX has no {@code ami.host}
     * @throws StartException if a key is missing, cannot be used, or is there without {@code ami.host}
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
        // They become part of an address of Camel's.
        String host = matching(at + "host", ami.host().get(), "[\\w.-]+|[0-9a-fA-F:.]+", "the name or the address of a host");
        if (!pbx.matches("[\\w.-]+")) {
            throw Settings.invalid(at + "host", host, "at a PBX whose name has letters, digits, dots, - and _ only");
        }
        int port = port(at + "port", ami.port().orElse(Integer.toString(PORT)));
        String username = matching(at + "username", needed(at + "username", ami.username()), "[^\\p{Cntrl}]+", "a text in one line");
        String secret = needed(at + "secret", ami.secret());
        if (!secret.matches("[^\\p{Cntrl}]+")) {
            throw new StartException("callbridge." + at + "secret is not a text in one line; allowed: the secret of manager.conf");
        }
        List<String> trunks = list(needed(at + "trunks", ami.trunks()));
        if (trunks.isEmpty()) {
            throw Settings.invalid(at + "trunks", ami.trunks().get(), "endpoint names of trunks, comma list, * as wildcard");
        }
        boolean tls = Settings.bool(at + "tls", ami.tls().orElse("false"));
        if (!tls && ami.tlsCa().isPresent()) {
            throw Settings.invalid(at + "tls-ca", ami.tlsCa().get(), "together with callbridge." + at + "tls=true");
        }
        String variable = matching(at + "did-variable", ami.didVariable().orElse(""), "\\w*", "the name of a channel variable");
        String idPrefix = matching(at + "id-prefix", ami.idPrefix().orElse(several ? pbx + "-" : ""), "[\\w.~:-]{0,50}",
                "letters, digits, . _ ~ : and -, 50 at most");
        return Optional.of(new AmiSettings(host, port, username, secret, tls ? tls(at + "tls-ca", ami.tlsCa()) : null,
                Settings.bool(at + "plain-login", ami.plainLogin().orElse("false")), idPrefix,
                new AsteriskDialplan(trunks, list(ami.inboundContexts().orElse("")), variable)));
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

    private static String matching(String key, String value, String pattern, String allowed) {
        if (!value.matches(pattern)) {
            throw Settings.invalid(key, value.replaceAll("\\p{Cntrl}+", " "), allowed);
        }
        return value;
    }

    private static int port(String key, String value) {
        if (!value.matches("[0-9]{1,5}") || Integer.parseInt(value) < 1 || Integer.parseInt(value) > 65_535) {
            throw Settings.invalid(key, value, "a whole number from 1 to 65535");
        }
        return Integer.parseInt(value);
    }

    private static List<String> list(String value) {
        return Arrays.stream(value.split(",")).map(String::strip).filter(name -> !name.isEmpty()).distinct().toList();
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
