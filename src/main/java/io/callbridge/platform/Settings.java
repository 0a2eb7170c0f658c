package io.callbridge.platform;

import com.google.i18n.phonenumbers.NumberParseException;
import com.google.i18n.phonenumbers.PhoneNumberUtil;
import com.google.i18n.phonenumbers.PhoneNumberUtil.PhoneNumberFormat;
import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Extension;
import io.quarkus.runtime.configuration.DurationConverter;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.eclipse.microprofile.config.Config;

/**
 * The configuration of contract section 1, read and checked once. A value that cannot be used stops the start with one
 * line that names the key, the value and what is allowed.
 */
@ApplicationScoped
public class Settings {

    private static final int SECRET_LENGTH = 16;

    private final CallSettings calls;
    private final Map<String, Directory> directories = new HashMap<>();
    private final Map<String, byte[]> secretDigests = new HashMap<>();
    private final List<String> crms;
    private final Map<String, Integer> numbers = new HashMap<>();

    public Settings(BridgeConfig config, Config all) {
        BridgeConfig.Calls c = config.calls();
        calls = new CallSettings(
                duration("calls.missed-delay", c.missedDelay()),
                duration("calls.max-container-wait", c.maxContainerWait()),
                duration("calls.settle-delay", c.settleDelay()),
                bool("calls.missed-without-container", c.missedWithoutContainer()),
                bool("calls.suppress-missed-if-answered-leg", c.suppressMissedIfAnsweredLeg()),
                bool("calls.missed-needs-ivr-no", c.missedNeedsIvrNo()),
                bool("calls.forwarded-as-outgoing", c.forwardedAsOutgoing()),
                duration("calls.max-unanswered", c.maxUnanswered()),
                duration("calls.max-talk", c.maxTalk()),
                duration("calls.card-ttl", c.cardTtl()));
        config.pbx().forEach(this::addPbx);
        crms = Arrays.stream(all.getOptionalValue("callbridge.crm.active", String.class).orElse("rest").split(","))
                .map(String::strip).filter(name -> !name.isEmpty()).distinct().toList();
        if (crms.isEmpty()) {
            throw invalid("crm.active", "", "a comma list of adapters, such as rest");
        }
        if (crms.contains("rest")) {
            checkAddress("crm.rest.url", all.getOptionalValue("callbridge.crm.rest.url", String.class).orElse(""));
        }
        for (String crm : crms) {
            if (all.getOptionalValue("callbridge.crm." + crm + ".rate", String.class).isPresent()) {
                number(all, "crm." + crm + ".rate", 1, 100_000);
            }
        }
        number(all, "store.lease-ms", 1_000, 3_600_000);
        number(all, "process.lanes", 1, 256);
        number(all, "process.timer-poll-ms", 10, 60_000);
        number(all, "deliver.parallel", 1, 256);
        number(all, "deliver.poll-ms", 10, 60_000);
        number(all, "deliver.rest.timeout-ms", 1, 600_000);
        number(all, "deliver.card.lookup-timeout-ms", 1, 60_000);
        number(all, "deliver.entity-cache.seconds", 0, 86_400);
        number(all, "deliver.entity-cache.size", 0, 10_000_000);
        number(all, "deliver.retry.first-delay-ms", 1, 3_600_000);
        number(all, "deliver.retry.max-delay-ms", 1, 3_600_000);
        number(all, "deliver.retry.give-up-hours", 1, 8_760);
    }

    /** The whole number of a key outside contract section 1, without the prefix {@code callbridge.}. */
    public int number(String key) {
        return numbers.get(key);
    }

    /** How many requests a CRM takes per second; 0: as many as there are. */
    public int rate(String crm) {
        return numbers.getOrDefault("crm." + crm + ".rate", 0);
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

    private void addPbx(String pbx, BridgeConfig.Pbx config) {
        String key = "pbx." + pbx;
        String secret = config.secret().orElseThrow(() -> new StartException(
                "callbridge." + key + ".secret is missing: the webhook of this PBX needs one, 16 characters or more"));
        if (secret.length() < SECRET_LENGTH) {
            throw new StartException("callbridge." + key + ".secret has " + secret.length()
                    + " characters; allowed are 16 or more");
        }
        if (pbxWithSecret(secret).isPresent()) {
            throw new StartException("callbridge." + key + ".secret is also the secret of PBX "
                    + pbxWithSecret(secret).get() + "; each PBX needs its own");
        }
        String country = config.country().orElse("RU").toUpperCase(Locale.ROOT);
        if (!PhoneNumberUtil.getInstance().getSupportedRegions().contains(country)) {
            throw invalid(key + ".country", country, "a two-letter region code, such as RU");
        }
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
                config.defaultUser().orElse(null), extensions, number -> e164(number, country)));
        secretDigests.put(pbx, digest(secret));
    }

    /**
     * A number as dialled or signalled in a country, in E.164. Only its length is judged: numbering plans change faster
     * than a list of valid ranges.
     *
     * @param country {@code null}: only a number with {@code +} can be read
     * @return {@code null} if it cannot be read
     */
    public static String e164(String number, String country) {
        try {
            PhoneNumberUtil util = PhoneNumberUtil.getInstance();
            var parsed = util.parse(number, country);
            return util.isPossibleNumber(parsed) ? util.format(parsed, PhoneNumberFormat.E164) : null;
        } catch (NumberParseException notANumber) {
            return null;
        }
    }

    private void number(Config config, String key, int least, int most) {
        String value = config.getOptionalValue("callbridge." + key, String.class).orElse("");
        StartException wrong = invalid(key, value, "a whole number from " + least + " to " + most);
        try {
            int number = Integer.parseInt(value);
            if (number < least || number > most) {
                throw wrong;
            }
            numbers.put(key, number);
        } catch (NumberFormatException e) {
            throw wrong;
        }
    }

    private static void checkAddress(String key, String value) {
        try {
            URI address = new URI(value);
            if (List.of("http", "https").contains(String.valueOf(address.getScheme())) && address.getHost() != null
                    && address.getQuery() == null) {
                return;
            }
        } catch (URISyntaxException e) {
            throw invalid(key, value, "an address such as https://crm.example/callbridge");
        }
        throw invalid(key, value, "an address such as https://crm.example/callbridge");
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

    /** A duration of a {@code callbridge.} key. */
    public static Duration duration(String key, String value) {
        try {
            Duration duration = DurationConverter.parseDuration(value);
            if (!duration.isNegative()) {
                return duration;
            }
        } catch (IllegalArgumentException unreadable) {
            throw invalid(key, value, "a duration such as 250ms, 5s, 15m, 4h, 30d");
        }
        throw invalid(key, value, "a duration of zero or more");
    }

    private static boolean bool(String key, String value) {
        return switch (value) {
            case "true" -> true;
            case "false" -> false;
            default -> throw invalid(key, value, "true, false");
        };
    }

    private static StartException invalid(String key, String value, String allowed) {
        return new StartException("callbridge." + key + " is '" + value + "'; allowed: " + allowed);
    }

    private static byte[] digest(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException everyJvmHasIt) {
            throw new IllegalStateException(everyJvmHasIt);
        }
    }
}
