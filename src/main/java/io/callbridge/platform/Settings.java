package io.callbridge.platform;

import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Extension;
import io.netty.handler.ssl.SslContext;
import io.quarkus.runtime.configuration.DurationConverter;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.URLEncoder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.eclipse.microprofile.config.Config;

/**
 * The configuration of contract section 1, read and checked once. A value that cannot be used stops the start with one
 * line that names the key, the value and what is allowed.
 */
@ApplicationScoped
public class Settings {

    private static final Map<String, ChronoUnit> UNITS = Map.of("us", ChronoUnit.MICROS, "ms", ChronoUnit.MILLIS, "s", ChronoUnit.SECONDS);
    /** Where a PBX that does not speak UTF-8 speaks windows-1251. */
    private static final Set<String> CYRILLIC = Set.of("RU", "BY", "KZ", "UA");

    private final Config all;
    private final CallSettings calls;
    private final Map<String, Directory> directories = new HashMap<>();
    private final Map<String, Charset> charsets = new HashMap<>();
    private final Map<String, String> secrets = new HashMap<>();
    private final Map<String, byte[]> secretDigests = new HashMap<>();
    private final List<String> crms;
    private final Map<String, CrmSettings> crmSettings = new HashMap<>();
    private final SslContext tcpTls;
    private final CrmTls crmTls;
    private final Optional<LoginSettings> login;
    private final Map<String, AmiSettings> asterisks = new HashMap<>();
    /** By the key, or by how the keys begin that do not go together. */
    private final Map<String, StartException> wrong;

    public Settings(BridgeConfig config, Config all) {
        this.all = all;
        wrong = Keys.problems(all);
        calls = read("calls.", () -> new CallSettings(duration("calls.missed-delay"), duration("calls.max-container-wait"),
                duration("calls.settle-delay"), bool("calls.missed-without-container"), bool("calls.suppress-missed-if-answered-leg"),
                bool("calls.missed-needs-ivr-no"), bool("calls.forwarded-as-outgoing"), duration("calls.max-unanswered"),
                duration("calls.max-talk"), duration("calls.card-ttl")));
        boolean severalAsterisks = config.pbx().values().stream().filter(keys -> keys.ami().host().isPresent()).count() > 1;
        config.pbx().forEach((pbx, keys) -> check("pbx." + pbx + ".", () -> addPbx(pbx, keys, severalAsterisks)));
        crms = activeCrms(all);
        if (Demo.asked(all)) {
            check("demo", () -> Demo.check(all, config.pbx().keySet()));
        }
        crms.forEach(crm -> check("crm." + crm + ".", () -> crmSettings.put(crm, CrmSettings.read(crm, config.crm().get(crm), all))));
        crmTls = read(CrmTls.CA, () -> all.getOptionalValue("callbridge." + CrmTls.CA, String.class).map(CrmTls::of).orElse(null));
        tcpTls = read("tcp.tls.", () -> TcpTls.of(all.getOptionalValue("callbridge.tcp.tls.certificate", String.class),
                all.getOptionalValue("callbridge.tcp.tls.key", String.class),
                all.getOptionalValue("callbridge.tcp.tls.client-ca", String.class)));
        login = read("admin.oidc.", () -> LoginSettings.read(all));
        if (!wrong.isEmpty()) {
            StartException first = wrong.values().iterator().next();
            wrong.values().stream().skip(1).forEach(first::addSuppressed);
            throw first;
        }
    }

    /** A mistake hides none elsewhere: who only checks the configuration is told of all of them. */
    private <T> T read(String keys, Supplier<T> read) {
        // Nothing can be made of values that are wrong by themselves.
        if (wrong.keySet().stream().noneMatch(key -> key.replace("\"", "").startsWith("callbridge." + keys))) {
            try {
                return read.get();
            } catch (StartException e) {
                wrong.put("callbridge." + keys, e);
            }
        }
        return null;
    }

    private void check(String keys, Runnable check) {
        read(keys, () -> {
            check.run();
            return null;
        });
    }

    /** As they are named, whatever else is wrong. */
    public static List<String> activeCrms(Config all) {
        return list(text(all, "crm.active"));
    }

    static List<String> list(String value) {
        return Arrays.stream(value.split(",")).map(String::strip).filter(name -> !name.isEmpty()).distinct().toList();
    }

    public String storeUrl() {
        return text(all, "store.url");
    }

    /** The file of {@link #storeUrl()}, if that is one of SQLite. */
    public Path storeFile() {
        return Path.of(StoreKind.file(storeUrl()));
    }

    /** The whole number of a key that has one, without the prefix {@code callbridge.}. */
    public int number(String key) {
        return all.getValue("callbridge." + key, Integer.class);
    }

    /** How an active CRM is asked. */
    public CrmSettings crm(String crm) {
        return crmSettings.get(crm);
    }

    /** Where a recording can be had, {@code null} if nobody said where. */
    public String recordingUrl(String pbx, String recordingId, String extension) {
        String template = text(all, "recordings.url-template");
        return template.isEmpty() ? null : template.replace("{RecID}", encoded(recordingId)).replace("{PBX}", encoded(pbx))
                .replace("{extension}", encoded(extension == null ? "" : extension));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Events are traced. */
    public boolean tracing() {
        return !text(all, "tracing.endpoint").isEmpty();
    }

    /** How long a call is kept after the last thing that happened to it. */
    public Duration retention() {
        return duration("store.retention");
    }

    /** TLS to CRMs, {@code null} if only the usual authorities count. */
    public SSLContextParameters crmTls() {
        return crmTls;
    }

    /** The token that somebody has chosen, nothing if nobody has. */
    public Optional<String> adminToken() {
        return Optional.of(text(all, "admin.token")).filter(token -> !token.isBlank());
    }

    /** Who may log in at a provider, nothing if there is none. */
    public Optional<LoginSettings> login() {
        return login;
    }

    /** TLS of the line protocol, {@code null} if it has none. */
    public SslContext tcpTls() {
        return tcpTls;
    }

    /** The connection to the Asterisk of a PBX, if it has one. */
    public Optional<AmiSettings> asterisk(String pbx) {
        return Optional.ofNullable(asterisks.get(pbx));
    }

    /** The PBXs with a connection to an Asterisk. */
    public Set<String> asterisks() {
        return asterisks.keySet();
    }

    public CallSettings calls() {
        return calls;
    }

    /** Adapters that get every call. */
    public List<String> crms() {
        return crms;
    }

    /** @throws IllegalArgumentException for a PBX that is not configured (any more) */
    public Directory directory(String pbx) {
        Directory directory = directories.get(pbx);
        if (directory == null) {
            throw new IllegalArgumentException("no PBX " + pbx + " in the configuration");
        }
        return directory;
    }

    public boolean knows(String pbx) {
        return directories.containsKey(pbx);
    }

    /** The PBXs that are configured. */
    public Set<String> pbxs() {
        return directories.keySet();
    }

    /** For the administrator of a PBX: the secret of its webhook, {@code null} if it has none. */
    public String secret(String pbx) {
        return secrets.get(pbx);
    }

    /** Of what a PBX sends that is not UTF-8. */
    public Charset charset(String pbx) {
        return charsets.get(pbx);
    }

    /** Where events over TCP are taken. */
    public Optional<Integer> tcpPort() {
        return all.getOptionalValue("callbridge.tcp.port", Integer.class);
    }

    /**
     * The PBX whose webhook has this secret. Digests of equal length are compared, each in full and all of them, so that
     * the time tells nothing about a secret.
     */
    public Optional<String> pbxWithSecret(String secret) {
        byte[] digest = digest(secret);
        String found = null;
        for (Map.Entry<String, byte[]> entry : secretDigests.entrySet()) {
            if (MessageDigest.isEqual(entry.getValue(), digest)) {
                found = entry.getKey();
            }
        }
        return Optional.ofNullable(found);
    }

    private void addPbx(String pbx, BridgeConfig.Pbx config, boolean severalAsterisks) {
        String key = "pbx." + pbx;
        AmiSettings.read(pbx, config.ami(), severalAsterisks).ifPresent(ami -> asterisks.put(pbx, ami));
        if (config.secret().isPresent() || !asterisks.containsKey(pbx)) {
            addSecret(pbx, config.secret().orElseThrow(() -> new StartException("callbridge." + key
                    + ".secret is missing: the webhook of this PBX needs one, 16 characters or more")));
        }
        String country = config.country().orElse("RU").toUpperCase(Locale.ROOT);
        charsets.put(pbx, Charset.forName(config.charset().orElse(CYRILLIC.contains(country) ? "windows-1251" : "windows-1252")));
        List<Extension> extensions = new ArrayList<>();
        Map<String, String> ids = new HashMap<>();
        config.extensions().forEach((name, extension) -> {
            extension.id().ifPresent(id -> {
                String other = ids.put(id, name);
                if (other != null) {
                    throw invalid(key + ".extensions." + name + ".id", id, "another one; extension " + other + " has it already");
                }
            });
            extensions.add(new Extension(name, Extension.Type.valueOf(extension.type().orElse("phone").toUpperCase(Locale.ROOT)),
                    extension.user().orElse(null), extension.id().orElse(null)));
        });
        directories.put(pbx, new Directory(pbx, config.prefix().orElse(""), config.domain().orElse(""),
                config.defaultUser().orElse(null), extensions,
                PhoneNumbers.cached(number -> PhoneNumbers.e164(number, country)), PhoneNumbers.cached(number -> PhoneNumbers.dialled(number, country)),
                list(config.outsidePrefix().orElse("")).stream().sorted(Comparator.comparing(String::length).reversed()).toList(),
                UNITS.get(config.durationUnit().orElse("auto"))));
    }

    private void addSecret(String pbx, String secret) {
        String key = "callbridge.pbx." + pbx + ".secret";
        if (pbxWithSecret(secret).isPresent()) {
            throw new StartException(key + " is also the secret of PBX " + pbxWithSecret(secret).get() + "; each PBX needs its own");
        }
        secrets.put(pbx, secret);
        secretDigests.put(pbx, digest(secret));
    }

    /** Empty if there is none: what has a default, has it in {@link Keys}. */
    static String text(Config config, String key) {
        return config.getOptionalValue("callbridge." + key, String.class).orElse("");
    }

    /** An address as it may be shown: user, password, parameters and the code of Bitrix24's webhook are nobody's business. */
    public static String masked(String address) {
        return address.replaceAll("\\p{Cntrl}+", " ").replaceFirst("(?s)^([\\w:+.-]*//)?.*@", "$1***@").replaceFirst("(?s)[?;].*", "?***")
                .replaceFirst("(/rest/[0-9]+/)[^/]+", "$1***");
    }

    private Duration duration(String key) {
        return DurationConverter.parseDuration(text(all, key));
    }

    private boolean bool(String key) {
        return Boolean.parseBoolean(text(all, key));
    }

    public static StartException invalid(String key, String value, String allowed) {
        return new StartException("callbridge." + key + " is '" + value + "'; allowed: " + allowed);
    }

    /** Something as secret as a secret that says nothing about it. */
    public static String hex(String secret) {
        return HexFormat.of().formatHex(digest(secret));
    }

    private static byte[] digest(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException everyJvmHasIt) {
            throw new IllegalStateException(everyJvmHasIt);
        }
    }
}
