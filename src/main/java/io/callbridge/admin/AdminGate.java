package io.callbridge.admin;

import io.quarkus.runtime.annotations.RegisterForReflection;
import io.vertx.core.net.SocketAddress;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import org.apache.camel.Header;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Who may use the administration API (contract section 4). */
@ApplicationScoped
@Named("adminGate")
@RegisterForReflection
public class AdminGate {

    private final Optional<String> token;

    public AdminGate(@ConfigProperty(name = "callbridge.admin.token") Optional<String> token) {
        this.token = token.filter(value -> !value.isBlank());
    }

    /** @return the status of the answer: 200 to let the request pass, else 401 or 403 */
    public int status(@Header("Authorization") String authorization,
            @Header("CamelVertxPlatformHttpRemoteAddress") SocketAddress remote) throws UnknownHostException {
        if (token.isEmpty()) {
            return remote != null && InetAddress.getByName(remote.hostAddress()).isLoopbackAddress() ? 200 : 403;
        }
        byte[] expected = ("Bearer " + token.get()).getBytes(StandardCharsets.UTF_8);
        byte[] given = String.valueOf(authorization).getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(expected, given) ? 200 : 401;
    }
}
