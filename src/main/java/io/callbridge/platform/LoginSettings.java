package io.callbridge.platform;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.Config;

/**
 * Who may administer of those whom an OpenID Connect provider knows: whoever is named, and whoever has the role. The rest of
 * {@code callbridge.admin.oidc} is Quarkus's, see {@link DerivedSettings}.
 *
 * @param users names that may
 * @param role a role that may, {@code null} if none is enough
 * @param nameClaim the claim of a token that is the name
 */
public record LoginSettings(Set<String> users, String role, String nameClaim) {

    public static final String URL = "admin.oidc.url";
    static final String CLIENT_ID = "admin.oidc.client-id";
    static final String CLIENT_SECRET = "admin.oidc.client-secret";
    private static final String USERS = "admin.oidc.users";
    private static final String ROLE = "admin.oidc.role";

    /** Whether all is said that Quarkus needs for a login; what is said wrongly, {@link #read} refuses. */
    static boolean usable(UnaryOperator<String> of) {
        return of.apply("callbridge." + URL).matches("https?://[^/].*") && !of.apply("callbridge." + CLIENT_ID).isBlank()
                && !of.apply("callbridge." + CLIENT_SECRET).isBlank();
    }

    /** @return nothing if there is no provider */
    static Optional<LoginSettings> read(Config all) {
        String url = Settings.text(all, URL);
        if (url.isBlank()) {
            List.of(CLIENT_ID, CLIENT_SECRET, USERS, ROLE).forEach(key -> {
                if (!Settings.text(all, key).isBlank()) {
                    throw new StartException("callbridge." + key + " is set; allowed: together with callbridge." + URL + ", the address of the provider");
                }
            });
            return Optional.empty();
        }
        for (String key : List.of(CLIENT_ID, CLIENT_SECRET)) {
            if (Settings.text(all, key).isBlank()) {
                throw new StartException("callbridge." + key + " is missing: it is the provider that gives it to Callbridge");
            }
        }
        Set<String> users = Arrays.stream(Settings.text(all, USERS).split(",")).map(String::strip).filter(name -> !name.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
        String role = Settings.text(all, ROLE).strip();
        if (users.isEmpty() && role.isEmpty()) {
            throw new StartException("callbridge." + USERS + " and callbridge." + ROLE + " are missing: without one of them nobody"
                    + " whom the provider knows may administer");
        }
        return Optional.of(new LoginSettings(users, role.isEmpty() ? null : role, Settings.text(all, "admin.oidc.name-claim")));
    }
}
