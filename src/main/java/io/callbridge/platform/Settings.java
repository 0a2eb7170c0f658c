package io.callbridge.platform;

import com.google.i18n.phonenumbers.PhoneNumberUtil;
import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Extension;
import io.netty.handler.ssl.SslContext;
import io.quarkus.runtime.configuration.DurationConverter;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
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

    private static final int SECRET_LENGTH = 16;
    /** Where a PBX that does not speak UTF-8 speaks windows-1251. */
    private static final Set<String> CYRILLIC = Set.of("RU", "BY", "KZ", "UA");

    private final CallSettings calls;
    private final Map<String, Directory> directories = new HashMap<>();
    private final Map<String, Charset> charsets = new HashMap<>();
    private final Map<String, String> secrets = new HashMap<>();
    private final Map<String, byte[]> secretDigests = new HashMap<>();
    private final Optional<Integer> tcpPort;
    private final List<String> crms;
    private final Map<String, CrmSettings> crmSettings = new HashMap<>();
    private final String recordingsUrl;
    private final String storeUrl;
    private final Map<String, Integer> numbers = new HashMap<>();
    private final Duration retention;
    private final SslContext tcpTls;
    private final CrmTls crmTls;
    private final Optional<LoginSettings> login;
    private final Optional<String> adminToken;
    private final boolean tracing;
    private final Map<String, AmiSettings> asterisks = new HashMap<>();
    private final List<StartException> wrong = new ArrayList<>();

    public Settings(BridgeConfig config, Config all) {
        calls = new CallSettings(
                duration(all, "calls.missed-delay"),
                duration(all, "calls.max-container-wait"),
                duration(all, "calls.settle-delay"),
                bool(all, "calls.missed-without-container"),
                bool(all, "calls.suppress-missed-if-answered-leg"),
                bool(all, "calls.missed-needs-ivr-no"),
                bool(all, "calls.forwarded-as-outgoing"),
                duration(all, "calls.max-unanswered"),
                duration(all, "calls.max-talk"),
                duration(all, "calls.card-ttl"));
        boolean severalAsterisks = config.pbx().values().stream().filter(keys -> keys.ami().host().isPresent()).count() > 1;
        config.pbx().forEach((pbx, keys) -> attempt(() -> addPbx(pbx, keys, severalAsterisks)));
        crms = activeCrms(all);
        if (crms.isEmpty()) {
            wrong.add(invalid("crm.active", text(all, "crm.active"), "a comma list of adapters, such as rest"));
        }
        if (checked(false, () -> bool("demo", text(all, "demo")))) {
            attempt(() -> Demo.check(all, config.pbx().keySet()));
        }
        crms.forEach(crm -> attempt(() -> crmSettings.put(crm, CrmSettings.read(crm, config.crm().get(crm), all))));
        crmTls = checked(null, () -> all.getOptionalValue("callbridge." + CrmTls.CA, String.class).map(CrmTls::of).orElse(null));
        recordingsUrl = text(all, "recordings.url-template");
        if (!recordingsUrl.isEmpty()) {
            attempt(() -> checkAddress("recordings.url-template", text(all, "recordings.url-template").replaceAll("[{}]|\\?.*", "")));
        }
        storeUrl = text(all, "store.url");
        attempt(() -> checkStore(text(all, "store.url")));
        retention = duration(all, "store.retention");
        if (retention.toMinutes() < 1) {
            wrong.add(invalid("store.retention", text(all, "store.retention"), "a duration of 1m or more, such as 30d"));
        }
        number(all, "store.purge-period-ms", 100, 86_400_000);
        number(all, "store.lease-ms", 1_000, 3_600_000);
        number(all, "store.patience-ms", 100, 60_000);
        number(all, "store.max-age-ms", 1_000, 3_600_000);
        if (all.getConfigValue("callbridge.tcp.port").getRawValue() != null) {
            number(all, "tcp.port", 1, 65_535);
        }
        tcpPort = Optional.ofNullable(numbers.get("tcp.port"));
        number(all, "tcp.max-connections", 1, 10_000);
        number(all, "tcp.max-silence-ms", 1_000, 86_400_000);
        tcpTls = checked(null, () -> TcpTls.of(all.getOptionalValue("callbridge.tcp.tls.certificate", String.class),
                all.getOptionalValue("callbridge.tcp.tls.key", String.class),
                all.getOptionalValue("callbridge.tcp.tls.client-ca", String.class)));
        login = checked(Optional.empty(), () -> LoginSettings.read(all));
        adminToken = Optional.of(text(all, "admin.token")).filter(token -> !token.isBlank());
        adminToken.filter(token -> token.length() < SECRET_LENGTH).ifPresent(token -> wrong.add(new StartException(
                "callbridge.admin.token has " + token.length() + " characters; allowed are 16 or more")));
        number(all, "ami.ping-ms", 100, 3_600_000);
        number(all, "ami.answer-ms", 100, 600_000);
        number(all, "ami.reconnect-first-ms", 1, 3_600_000);
        number(all, "ami.reconnect-max-ms", 1, 3_600_000);
        number(all, "ami.refused-ms", 1, 86_400_000);
        number(all, "ami.lease-ms", 1_000, 600_000);
        number(all, "deliver.parallel", 1, 256);
        number(all, "deliver.poll-ms", 10, 60_000);
        number(all, "deliver.timeout-ms", 1, 600_000);
        number(all, "deliver.card.lookup-timeout-ms", 1, 60_000);
        number(all, "deliver.entity-cache.seconds", 0, 86_400);
        number(all, "deliver.entity-cache.size", 0, 10_000_000);
        number(all, "deliver.retry.first-delay-ms", 1, 3_600_000);
        number(all, "deliver.retry.max-delay-ms", 1, 3_600_000);
        attempt(() -> oneOf(all, "log.format", "text", "json"));
        attempt(() -> oneOf(all, "log.numbers", "masked", LogMask.FULL));
        number(all, "demo.pause-ms", 0, 3_600_000);
        tracing = !text(all, TracingSettings.ENDPOINT).isEmpty();
        if (tracing) {
            attempt(() -> checkAddress(TracingSettings.ENDPOINT, text(all, TracingSettings.ENDPOINT)));
        }
        attempt(() -> TracingSettings.checkProtocol(text(all, TracingSettings.PROTOCOL)));
        attempt(() -> TracingSettings.checkRatio(text(all, TracingSettings.RATIO)));
        if (!wrong.isEmpty()) {
            wrong.stream().skip(1).forEach(wrong.get(0)::addSuppressed);
            throw wrong.get(0);
        }
    }

    /** A wrong value does not hide the next one: who only checks the configuration is told all of them. */
    private <T> T checked(T instead, Supplier<T> read) {
        try {
            return read.get();
        } catch (StartException e) {
            wrong.add(e);
            return instead;
        }
    }

    private void attempt(Runnable check) {
        checked(null, () -> {
            check.run();
            return null;
        });
    }

    /** As they are named, whatever else is wrong. */
    public static List<String> activeCrms(Config all) {
        return Arrays.stream(text(all, "crm.active").split(",")).map(String::strip).filter(name -> !name.isEmpty()).distinct().toList();
    }

    public String storeUrl() {
        return storeUrl;
    }

    /** The file of {@link #storeUrl()}, if that is one of SQLite. */
    public Path storeFile() {
        return Path.of(file(storeUrl));
    }

    /** The whole number of a key outside contract section 1, without the prefix {@code callbridge.}. */
    public int number(String key) {
        return numbers.get(key);
    }

    /** How an active CRM is asked. */
    public CrmSettings crm(String crm) {
        return crmSettings.get(crm);
    }

    /** Where a recording can be had, {@code null} if nobody said where. */
    public String recordingUrl(String pbx, String recordingId, String extension) {
        return recordingsUrl.isEmpty() ? null : recordingsUrl.replace("{RecID}", encoded(recordingId)).replace("{PBX}", encoded(pbx))
                .replace("{extension}", encoded(extension == null ? "" : extension));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Events are traced. */
    public boolean tracing() {
        return tracing;
    }

    /** How long a call is kept after the last thing that happened to it. */
    public Duration retention() {
        return retention;
    }

    /** TLS to CRMs, {@code null} if only the usual authorities count. */
    public SSLContextParameters crmTls() {
        return crmTls;
    }

    /** The token that somebody has chosen, nothing if nobody has. */
    public Optional<String> adminToken() {
        return adminToken;
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
        return tcpPort;
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
        AmiKeys.read(pbx, config.ami(), severalAsterisks).ifPresent(ami -> asterisks.put(pbx, ami));
        if (config.secret().isPresent() || !asterisks.containsKey(pbx)) {
            addSecret(pbx, config.secret().orElseThrow(() -> new StartException("callbridge." + key
                    + ".secret is missing: the webhook of this PBX needs one, 16 characters or more")));
        }
        String country = config.country().orElse("RU").toUpperCase(Locale.ROOT);
        if (!PhoneNumberUtil.getInstance().getSupportedRegions().contains(country)) {
            throw invalid(key + ".country", country, "a two-letter region code, such as RU");
        }
        charsets.put(pbx, charset(key + ".charset", config.charset().orElse(CYRILLIC.contains(country) ? "windows-1251" : "windows-1252")));
        if (!config.prefix().orElse("").matches("[0-9]*")) {
            throw invalid(key + ".prefix", config.prefix().get(), "digits, without the *");
        }
        List<Extension> extensions = new ArrayList<>();
        Map<String, String> ids = new HashMap<>();
        config.extensions().forEach((name, extension) -> {
            String at = key + ".extensions." + name;
            extension.id().ifPresent(id -> {
                String other = ids.put(id, name);
                if (!id.matches("[0-9]+") || other != null) {
                    throw invalid(at + ".id", id, other == null ? "the number in front of the dash of a SubCallID"
                            : "another one; extension " + other + " has it already");
                }
            });
            extensions.add(new Extension(name, type(at + ".type", extension.type().orElse("phone")),
                    extension.user().orElse(null), extension.id().orElse(null)));
        });
        directories.put(pbx, new Directory(pbx, config.prefix().orElse(""), config.domain().orElse(""),
                config.defaultUser().orElse(null), extensions,
                PhoneNumbers.cached(number -> PhoneNumbers.e164(number, country)), PhoneNumbers.cached(number -> PhoneNumbers.dialled(number, country)),
                outsidePrefixes(key + ".outside-prefix", config.outsidePrefix().orElse("")),
                durationUnit(key + ".duration-unit", config.durationUnit().orElse("auto"))));
    }

    private static List<String> outsidePrefixes(String key, String value) {
        List<String> prefixes = Arrays.stream(value.split(",")).map(String::strip).filter(digits -> !digits.isEmpty())
                .sorted(Comparator.comparing(String::length).reversed()).toList();
        if (!prefixes.stream().allMatch(digits -> digits.matches("[0-9]{1,4}"))) {
            throw invalid(key, value, "the digits that are dialled for an outside line, such as 9; several with commas between");
        }
        return prefixes;
    }

    private static ChronoUnit durationUnit(String key, String value) {
        return switch (value) {
            case "auto" -> null;
            case "us" -> ChronoUnit.MICROS;
            case "ms" -> ChronoUnit.MILLIS;
            case "s" -> ChronoUnit.SECONDS;
            default -> throw invalid(key, value, "auto, us, ms, s");
        };
    }

    private static Charset charset(String key, String name) {
        try {
            return Charset.forName(name);
        } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
            throw invalid(key, name, "the name of a charset, such as windows-1251, windows-1252, koi8-r");
        }
    }

    private void addSecret(String pbx, String secret) {
        String key = "callbridge.pbx." + pbx + ".secret";
        if (secret.length() < SECRET_LENGTH) {
            throw new StartException(key + " has " + secret.length() + " characters; allowed are 16 or more");
        }
        if (pbxWithSecret(secret).isPresent()) {
            throw new StartException(key + " is also the secret of PBX " + pbxWithSecret(secret).get() + "; each PBX needs its own");
        }
        secrets.put(pbx, secret);
        secretDigests.put(pbx, digest(secret));
    }

    private void number(Config config, String key, int least, int most) {
        attempt(() -> numbers.put(key, whole(key, text(config, key), least, most)));
    }

    static int whole(String key, String value, int least, int most) {
        StartException wrong = invalid(key, value, "a whole number from " + least + " to " + most);
        try {
            int number = Integer.parseInt(value);
            if (number < least || number > most) {
                throw wrong;
            }
            return number;
        } catch (NumberFormatException e) {
            throw wrong;
        }
    }

    /** Empty if there is none: what has a default, has it in {@code META-INF/microprofile-config.properties}. */
    static String text(Config config, String key) {
        return config.getOptionalValue("callbridge." + key, String.class).orElse("");
    }

    static void checkAddress(String key, String value) {
        StartException wrong = invalid(key, masked(value), "an address such as https://crm.example/callbridge");
        try {
            URI address = new URI(value);
            if (!List.of("http", "https").contains(String.valueOf(address.getScheme())) || address.getHost() == null
                    || address.getQuery() != null) {
                throw wrong;
            }
        } catch (URISyntaxException e) {
            throw wrong;
        }
    }

    /** Of an SQLite store in memory every connection would see its own, and none would be left after the end. */
    private static void checkStore(String url) {
        String file = file(url);
        boolean kept = !file.isBlank() && !file.startsWith(":") && !file.endsWith("/") && !url.contains("mode=memory");
        StoreKind kind = StoreKind.of(url);
        if (kind == null || kind == StoreKind.SQLITE && !kept) {
            throw invalid("store.url", masked(url), StoreKind.SQLITE.prefix + "<file>, with a file on a disk; "
                    + StoreKind.POSTGRESQL.prefix + "//<host>/<database>?user=<user>&password=<password>");
        }
    }

    private static String file(String url) {
        return url.replaceFirst("^" + StoreKind.SQLITE.prefix + "(file:)?", "").replaceFirst("\\?.*", "");
    }

    /** An address as it may be shown: user, password, parameters and the code of Bitrix24's webhook are nobody's business. */
    public static String masked(String address) {
        return address.replaceFirst("(?s)^([\\w:+.-]*//)?.*@", "$1***@").replaceFirst("(?s)[?;].*", "?***")
                .replaceFirst("(/rest/[0-9]+/)[^/]+", "$1***");
    }

    private static Extension.Type type(String key, String value) {
        return switch (value) {
            case "phone" -> Extension.Type.PHONE;
            case "ivr" -> Extension.Type.IVR;
            case "queue" -> Extension.Type.QUEUE;
            case "fax" -> Extension.Type.FAX;
            default -> throw invalid(key, value, "phone, ivr, queue, fax");
        };
    }

    private Duration duration(Config config, String key) {
        return checked(Duration.ofDays(1), () -> duration(key, text(config, key)));
    }

    private static Duration duration(String key, String value) {
        StartException wrong = invalid(key, value, "a duration of zero or more, such as 250ms, 5s, 15m, 4h, 30d");
        try {
            Duration duration = DurationConverter.parseDuration(value);
            if (duration == null || duration.isNegative()) {
                throw wrong;
            }
            return duration;
        } catch (IllegalArgumentException e) {
            throw wrong;
        }
    }

    private boolean bool(Config config, String key) {
        return checked(false, () -> bool(key, text(config, key)));
    }

    private static void oneOf(Config config, String key, String... allowed) {
        if (!List.of(allowed).contains(text(config, key))) {
            throw invalid(key, text(config, key), String.join(", ", allowed));
        }
    }

    static boolean bool(String key, String value) {
        return switch (value) {
            case "true" -> true;
            case "false" -> false;
            default -> throw invalid(key, value, "true, false");
        };
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
