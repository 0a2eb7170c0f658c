package io.callbridge.platform;

import com.google.i18n.phonenumbers.PhoneNumberUtil;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.SmallRyeConfig;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.Charset;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.Config;

/**
 * All keys of Callbridge: what each may be by itself, and what it is if nobody says anything. What a key needs beside it is checked where
 * it is read ({@link Settings}); what it means is told to people in {@code application.properties}.
 */
public final class Keys {

    static final String PREFIX = "callbridge.";
    private static final int SECRET_LENGTH = 16;
    private static final int HOUR_MS = 3_600_000;
    private static final int DAY_MS = 86_400_000;
    private static final int MOST_PER_SECOND = 100_000;
    private static final String URL = "an address such as https://crm.example/callbridge";
    private static final String ID = "the number by which the CRM knows its user";
    private static final String MOSCOW = "Europe/Moscow";
    private static final String ZONE = "the name of a time zone, such as Europe/Moscow";
    private static final Pattern BARE_AMOCRM = Pattern.compile("(?i)https?://(www\\.)?(amocrm\\.(ru|com)|kommo\\.com)([:/].*)?");

    /** Those of {@code application.properties}. Without the prefix; {@code <...>} stands for a name of the installation. Of two that are meant by a key, the first. */
    private static final List<Key> PUBLIC = List.of(
            secret("pbx.<pbx>.secret"), is("pbx.<pbx>.prefix", "[0-9]*", "digits, without the *"), text("pbx.<pbx>.domain"),
            is("pbx.<pbx>.country", Keys::isRegion, "a two-letter region code, such as RU"),
            is("pbx.<pbx>.outside-prefix", "\\s*([0-9]{1,4}\\s*)?(,\\s*([0-9]{1,4}\\s*)?)*",
                    "the digits that are dialled for an outside line, such as 9; several with commas between"),
            is("pbx.<pbx>.charset", Keys::isCharset, "the name of a charset, such as windows-1251, windows-1252, koi8-r"),
            oneOf("pbx.<pbx>.duration-unit", "auto, us, ms, s"), text("pbx.<pbx>.default-user"),
            oneOf("pbx.<pbx>.extensions.<name>.type", "phone, ivr, queue, fax"), text("pbx.<pbx>.extensions.<name>.user"),
            is("pbx.<pbx>.extensions.<name>.id", "[0-9]+", "the number in front of the dash of a SubCallID"),
            // It becomes part of an address of Camel's.
            is("pbx.<pbx>.ami.host", "[\\w.-]+|[0-9a-fA-F:.]+", "the name or the address of a host"),
            number("pbx.<pbx>.ami.port", 1, 65_535), is("pbx.<pbx>.ami.username", "[^\\p{Cntrl}]+", "a text in one line"),
            new Key("pbx.<pbx>.ami.secret", null, value -> value.matches("[^\\p{Cntrl}]+") ? null
                    : " is not a text in one line; allowed: the secret of manager.conf"),
            bool("pbx.<pbx>.ami.plain-login"), bool("pbx.<pbx>.ami.tls"), text("pbx.<pbx>.ami.tls-ca"),
            is("pbx.<pbx>.ami.trunks", ".*[^\\s,].*", "endpoint names of trunks, comma list, * as wildcard"),
            text("pbx.<pbx>.ami.inbound-contexts"), is("pbx.<pbx>.ami.did-variable", "\\w+", "the name of a channel variable"),
            is("pbx.<pbx>.ami.id-prefix", "[\\w.~:-]{1,50}", "letters, digits, . _ ~ : and -, 50 at most"),
            number("tcp.port", 1, 65_535), number("tcp.max-connections", 1, 10_000).by("64"),
            number("tcp.max-silence-ms", 1_000, DAY_MS).by("600000"),
            text("tcp.tls.certificate"), text("tcp.tls.key"), text("tcp.tls.client-ca"),
            // Of an SQLite store in memory every connection would see its own, and none would be left after the end.
            is("store.url", StoreKind::keeps, Settings::masked, StoreKind.SQLITE.prefix + "<file>, with a file on a disk; "
                    + StoreKind.POSTGRESQL.prefix + "//<host>/<database>?user=<user>&password=<password>").by("jdbc:sqlite:data/callbridge.db"),
            number("store.patience-ms", 100, 60_000).by("1500"), number("store.max-age-ms", 1_000, HOUR_MS).by("60000"),
            is("store.retention", value -> isDuration(value) && DurationConverter.parseDuration(value).toMinutes() > 0,
                    "a duration of 1m or more, such as 30d").by("30d"),
            duration("calls.missed-delay").by("5s"), duration("calls.max-container-wait").by("60m"), duration("calls.settle-delay").by("5s"),
            bool("calls.missed-without-container").by("true"), bool("calls.suppress-missed-if-answered-leg").by("false"),
            bool("calls.missed-needs-ivr-no").by("false"), bool("calls.forwarded-as-outgoing").by("false"),
            duration("calls.max-unanswered").by("15m"), duration("calls.max-talk").by("4h"), duration("calls.card-ttl").by("2m"),
            is("crm.active", ".*[^\\s,].*", "a comma list of adapters, such as rest").by("rest"), text("crm.tls-ca"),
            address("crm.rest.url"), text("crm.rest.token"),
            address("crm.bitrix24.url"), text("crm.bitrix24.client-id"), text("crm.bitrix24.client-secret"), text("crm.bitrix24.refresh-token"),
            oneOf("crm.bitrix24.unknown-caller", "skip, create"),
            is("crm.bitrix24.hidden-number", "skip|\\+?[0-9]{3,15}", "a number of 3 to 15 digits, skip, nothing"),
            bool("crm.bitrix24.line-number"), oneOf("crm.bitrix24.recordings", "link, upload"),
            is("crm.bitrix24.users.<user>", "[0-9]{1,18}", ID), perSecond("crm.bitrix24.rate").by("2"), perSecond("crm.bitrix24.burst").by("45"),
            address("crm.amocrm.url", url -> isAddress(url) && !BARE_AMOCRM.matcher(url).matches(),
                    "the address of the account, such as https://account.amocrm.ru"),
            text("crm.amocrm.token"), oneOf("crm.amocrm.unknown-caller", "skip, unsorted, create-contact").by("unsorted"),
            number("crm.amocrm.pipeline-id", 1, Integer.MAX_VALUE), is("crm.amocrm.source", ".+", "a name").by("Callbridge"),
            number("crm.amocrm.task-hours", 1, 1_000).by("1"), is("crm.amocrm.users.<user>", "[0-9]{1,18}", ID),
            perSecond("crm.amocrm.rate").by("5"), perSecond("crm.amocrm.burst").by("1"),
            text("crm.hubspot.token"), is("crm.hubspot.unique-property", "[a-z][a-z0-9_]*",
                    "the internal name of a property, of small letters, digits and _").by("callbridge_id"),
            is("crm.hubspot.users.<user>", "[0-9]{1,18}", ID), perSecond("crm.hubspot.rate").by("9"), perSecond("crm.hubspot.burst").by("8"),
            perSecond("crm.hubspot.lookup-rate").by("4"),
            address("crm.retailcrm.url"), text("crm.retailcrm.key"), text("crm.retailcrm.site"), text("crm.retailcrm.source"),
            is("crm.retailcrm.time-zone", Keys::isZone, ZONE).by(MOSCOW), is("crm.retailcrm.hidden-number", "[0-9]+", "digits").by("0"),
            perSecond("crm.retailcrm.rate").by("8"), perSecond("crm.retailcrm.burst").by("1"),
            address("crm.vtiger.url"), text("crm.vtiger.secret"), is("crm.vtiger.time-zone", Keys::isZone, ZONE).by(MOSCOW),
            text("crm.<crm>.url"), perSecond("crm.<crm>.rate"), perSecond("crm.<crm>.burst"), perSecond("crm.<crm>.lookup-rate"),
            text("crm.<crm>.users.<user>"), oneOf("crm.<crm>.several-entities", "first, owner, most-recent"), bool("crm.<crm>.missed-task"),
            number("deliver.parallel", 1, 256).by("8"), number("deliver.timeout-ms", 1, 600_000).by("10000"),
            number("deliver.card.lookup-timeout-ms", 1, 60_000).by("1000"),
            address("recordings.url-template", value -> isAddress(value.replaceAll("[{}]|\\?.*", "")), URL),
            secret("admin.token"), address("admin.oidc.url"), text("admin.oidc.client-id"),
            // It also keeps the sessions, see DerivedSettings.
            secret("admin.oidc.client-secret"), text("admin.oidc.users"), text("admin.oidc.role"),
            is("admin.oidc.name-claim", ".*\\S.*", "a claim of the provider's tokens, such as preferred_username, email").by("preferred_username"),
            oneOf("log.format", "text, json").by("text"), oneOf("log.numbers", "masked, " + LogMask.FULL).by("masked"),
            address("tracing.endpoint"), oneOf("tracing.protocol", "http/protobuf, grpc").by("http/protobuf"),
            is("tracing.ratio", "0|1|[01]\\.0+|0?\\.[0-9]{1,9}", "a number from 0 to 1, such as 0.1").by("1"), bool("demo").by("false"));

    /** Other values than these are for tests only. */
    static final List<Key> INTERNAL = List.of(
            // An Asterisk that says nothing for this long is asked (Ping), and has so long to answer that and each step of the login.
            number("ami.ping-ms", 100, HOUR_MS).by("15000"), number("ami.answer-ms", 100, 600_000).by("10000"),
            // How long until the next connection: at first, at most, and after a login that was refused.
            number("ami.reconnect-first-ms", 1, HOUR_MS).by("1000"), number("ami.reconnect-max-ms", 1, HOUR_MS).by("30000"),
            number("ami.refused-ms", 1, DAY_MS).by("60000"),
            // One of several replicas reads an Asterisk; another one takes over when it has not been heard of for this long.
            number("ami.lease-ms", 1_000, 600_000).by("9000"),
            // Who takes a delivery has this long to bring it, and half of it for a timer; then any replica may, for who took it may be
            // dead. Longer than a request and its look-up can take.
            number("store.lease-ms", 1_000, HOUR_MS).by("60000"), number("store.purge-period-ms", 100, DAY_MS).by("600000"),
            number("deliver.entity-cache.seconds", 0, 86_400).by("60"), number("deliver.entity-cache.size", 0, 10_000_000).by("10000"),
            number("deliver.poll-ms", 10, 60_000).by("200"), number("deliver.retry.first-delay-ms", 1, HOUR_MS).by("1000"),
            number("deliver.retry.max-delay-ms", 1, HOUR_MS).by("300000"), address("crm.bitrix24.oauth-url").by("https://oauth.bitrix.info"),
            address("crm.hubspot.url").by("https://api.hubapi.com"), number("demo.pause-ms", 0, HOUR_MS).by("4000"));

    private static final List<Key> ALL = Stream.of(INTERNAL, PUBLIC).flatMap(List::stream).toList();
    private static final Map<String, Pattern> PATTERNS = ALL.stream().collect(Collectors.toMap(Key::name, key -> pattern(key.name)));

    private Keys() {
    }

    /**
     * @param usually what it is if nobody says anything; {@code null}: nothing, which may be said too
     * @param wrong what is said behind the name of a value that it cannot have; {@code null}: it can
     */
    record Key(String name, String usually, UnaryOperator<String> wrong) {

        Key by(String value) {
            return new Key(name, value, wrong);
        }

        String wrong(String value) {
            return value.isEmpty() && usually == null ? null : wrong.apply(value);
        }
    }

    private static Key text(String name) {
        return new Key(name, null, value -> null);
    }

    private static Key is(String name, Predicate<String> fits, String allowed) {
        return is(name, fits, value -> value.replaceAll("\\p{Cntrl}+", " "), allowed);
    }

    private static Key is(String name, Predicate<String> fits, UnaryOperator<String> shown, String allowed) {
        return new Key(name, null, value -> fits.test(value) ? null : " is '" + shown.apply(value) + "'; allowed: " + allowed);
    }

    private static Key address(String name, Predicate<String> fits, String allowed) {
        return is(name, fits, Settings::masked, allowed);
    }

    private static Key address(String name) {
        return address(name, Keys::isAddress, URL);
    }

    private static Key is(String name, String pattern, String allowed) {
        return is(name, value -> value.matches(pattern), allowed);
    }

    private static Key oneOf(String name, String allowed) {
        return is(name, List.of(allowed.split(", "))::contains, allowed);
    }

    private static Key bool(String name) {
        return oneOf(name, "true, false");
    }

    private static Key number(String name, long least, long most) {
        return is(name, value -> isNumber(value, least, most), "a whole number from " + least + " to " + most);
    }

    private static boolean isNumber(String value, long least, long most) {
        return value.matches("[0-9]{1,10}") && Long.parseLong(value) >= least && Long.parseLong(value) <= most;
    }

    /** Nothing: as many as there are. */
    private static Key perSecond(String name) {
        return is(name, value -> value.isEmpty() || isNumber(value, 1, MOST_PER_SECOND), "a whole number from 1 to " + MOST_PER_SECOND + ", nothing");
    }

    private static Key duration(String name) {
        return is(name, Keys::isDuration, "a duration of zero or more, such as 250ms, 5s, 15m, 4h, 30d");
    }

    private static Key secret(String name) {
        return new Key(name, null, value -> value.length() >= SECRET_LENGTH ? null
                : " has " + value.length() + " characters; allowed are 16 or more");
    }

    private static boolean isDuration(String value) {
        try {
            Duration duration = DurationConverter.parseDuration(value);
            return duration != null && !duration.isNegative();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean isAddress(String value) {
        try {
            URI address = new URI(value);
            return List.of("http", "https").contains(String.valueOf(address.getScheme())) && address.getHost() != null && address.getQuery() == null;
        } catch (URISyntaxException e) {
            return false;
        }
    }

    private static boolean isRegion(String value) {
        return PhoneNumberUtil.getInstance().getSupportedRegions().contains(value.toUpperCase(Locale.ROOT));
    }

    private static boolean isCharset(String value) {
        return value.matches("[A-Za-z0-9][A-Za-z0-9+.:_-]*") && Charset.isSupported(value);
    }

    /** A name only: what else Java takes for a zone, Camel takes for GMT. */
    private static boolean isZone(String value) {
        return ZoneId.getAvailableZoneIds().contains(value);
    }

    /** What a setting is if nobody says anything. */
    public static Map<String, String> defaults() {
        return ALL.stream().filter(key -> key.usually != null).collect(Collectors.toMap(key -> PREFIX + key.name, Key::usually));
    }

    /** All names, without the prefix. */
    static Stream<String> names() {
        return ALL.stream().map(Key::name);
    }

    private static Pattern pattern(String name) {
        return Pattern.compile(Pattern.quote(PREFIX) + name.replace(".", "\\.").replaceAll("<[a-z]+>", "(\"[^\"]+\"|[^.]+)"));
    }

    /** Whether a key is one of these; with the prefix. */
    static boolean knows(String key) {
        return PATTERNS.values().stream().anyMatch(pattern -> pattern.matcher(key).matches());
    }

    /** Whether a value could be that of a key. */
    static boolean fits(String name, String value) {
        return ALL.stream().filter(key -> key.name.equals(name)).allMatch(key -> key.wrong(value) == null);
    }

    /** Such a value would count as none at all. */
    static StartException unreadable(String key) {
        return new StartException(key + " contains ${...} with a name that has no value; allowed: the name of a setting or of"
                + " an environment variable that is there, or $$ for a dollar sign");
    }

    /** What is wrong with the values that are there, by key; those of a CRM that is not active do nothing. */
    static Map<String, StartException> problems(Config all) {
        SmallRyeConfig config = all.unwrap(SmallRyeConfig.class);
        Set<String> names = new TreeSet<>();
        config.getPropertyNames().forEach(names::add);
        // What only the environment says may be listed under another name.
        names().filter(name -> !name.contains("<")).map(PREFIX::concat).forEach(names::add);
        List<String> crms = Settings.activeCrms(all);
        Map<String, StartException> problems = new TreeMap<>();
        for (String name : names) {
            String plain = name.replace("\"", "");
            boolean idle = plain.matches("callbridge\\.crm\\..+\\..+") && crms.stream().noneMatch(crm -> plain.startsWith(PREFIX + "crm." + crm + "."));
            ConfigValue value = !name.startsWith(PREFIX) || idle ? null : config.getConfigValue(name);
            if (value != null && value.hasProblems()) {
                problems.put(name, unreadable(name));
            } else if (value != null && value.getValue() != null) {
                ALL.stream().filter(key -> PATTERNS.get(key.name).matcher(name).matches()).findFirst().map(key -> key.wrong(value.getValue()))
                        .ifPresent(wrong -> problems.put(name, new StartException(name + wrong)));
            }
        }
        return problems;
    }
}
