package io.callbridge.admin;

import io.callbridge.platform.Demo;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StartException;
import io.callbridge.store.Memory;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.concurrent.CompletionException;
import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

/**
 * What opens the administration: {@code callbridge.admin.token} or, if nobody has chosen one, a token that is made at the first
 * start and kept in the store, for all replicas. Only the demo does without.
 */
@ApplicationScoped
public class AdminToken {

    private static final Logger LOG = Logger.getLogger("io.callbridge");
    private static final String NAME = "admin-token";
    private static final int LETTERS = 32;

    private final Settings settings;
    private final Config config;
    private final Memory memory;
    /** {@code null}: not known yet, so that nobody has it. */
    private volatile String token;

    public AdminToken(Settings settings, Config config, Memory memory) {
        this.settings = settings;
        this.config = config;
        this.memory = memory;
    }

    /** When the store is open and nothing refuses the start. */
    public void open() {
        if (asked()) {
            token = settings.adminToken().orElseGet(this::kept);
        }
    }

    private String kept() {
        try {
            String made = letters();
            if (!memory.keepFirst("", "", NAME, made).join()) {
                return memory.recall("", "", NAME);
            }
            LOG.infof("The console: %s/#token=%s (a token made for this store, told this once; callbridge.admin.token sets another)",
                    Demo.address(), made);
            return made;
        } catch (CompletionException e) {
            throw new StartException("callbridge.admin.token is not set, and one that was made cannot be kept: " + e.getCause().getMessage(), e);
        }
    }

    /** Without digits, which the log would take for a phone number. */
    private static String letters() {
        SecureRandom random = new SecureRandom();
        return random.ints(LETTERS, 'a', 'z' + 1).collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    }

    /** Whether anybody is asked who he is. */
    public boolean asked() {
        return settings.adminToken().isPresent() || !Demo.asked(config);
    }

    public boolean is(String given) {
        return same(token, given);
    }

    /** What a browser keeps instead of the token: of no use as one, the same in all replicas, void with another token. */
    public String session() {
        return Settings.hex("session\n" + token);
    }

    public boolean isSession(String given) {
        return token != null && same(session(), given);
    }

    private static boolean same(String expected, String given) {
        return expected != null && given != null
                && MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }
}
