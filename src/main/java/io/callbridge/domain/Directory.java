package io.callbridge.domain;

import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What we know about one PBX: its extensions and how it writes numbers (rules R8, R9, R33, R56).
 */
public final class Directory {

    /** A written number, and the extension behind it that is no part of it. */
    private static final Pattern NUMBER = Pattern.compile(
            "(?iu)(\\(?\\+?\\(?[0-9][0-9\\s\\u00a0().\\u2010-\\u2015/-]*)(?:(?:[,;#]|доб|ext|x).*)?");
    private static final Pattern URI = Pattern.compile("(?i)(?:.*<)?\\s*(?:(?:sips?|tel):)?([^@;<>]*)(?:[@;][^<>]*)?(?:>.*)?");
    private static final Pattern DIALLABLE = Pattern.compile("\\+?[0-9*#][0-9+*# ().-]*");
    private static final Pattern SHORT_NUMBER = Pattern.compile("(?:[0-9*]*\\*)?[0-9]{1,6}");
    /** Between the digit for an outside line and the number: a pause for the dial tone, or how it is written. */
    private static final Pattern PAUSE = Pattern.compile("^[\\s,.w-]+");
    private static final Set<String> HIDDEN_WORDS = Set.of("anonymous", "unknown", "private", "restricted", "unavailable", "withheld");
    /** The host of a caller who does not want to be known (RFC 3323), whatever the user part says. */
    private static final String HIDDEN_HOST = "@anonymous.invalid";

    private final String pbx;
    private final String prefix;
    private final String domain;
    private final String defaultUser;
    private final Map<String, Extension> byName;
    private final Map<String, Extension> byId;
    private final Function<String, String> signalled;
    private final Function<String, String> dialled;
    private final List<String> outsidePrefixes;
    private final ChronoUnit durationUnit;

    /**
     * @param prefix client prefix in front of {@code *}; empty: unknown
     * @param domain PBX domain behind {@code @}; empty: unknown
     * @param defaultUser see contract section 1; {@code null}: none
     * @param signalled reads a number that the network told; answers {@code null} for what is no phone number
     * @param dialled reads a number as it is dialled in the PBX's country, without the digit for an outside line; likewise
     * @param outsidePrefixes digits that are dialled for an outside line, the longest first
     * @param durationUnit of {@code Duration}; {@code null}: to be told by each leg
     */
    public Directory(String pbx, String prefix, String domain, String defaultUser, Iterable<Extension> extensions,
            Function<String, String> signalled, Function<String, String> dialled, List<String> outsidePrefixes,
            ChronoUnit durationUnit) {
        this.pbx = pbx;
        this.prefix = prefix;
        this.domain = domain.toLowerCase(Locale.ROOT);
        this.defaultUser = defaultUser;
        this.signalled = signalled;
        this.dialled = dialled;
        this.outsidePrefixes = outsidePrefixes;
        this.durationUnit = durationUnit;
        this.byName = new HashMap<>();
        this.byId = new HashMap<>();
        for (Extension extension : extensions) {
            byName.put(extension.name(), extension);
            if (extension.id() != null) {
                byId.put(extension.id(), extension);
            }
        }
    }

    private Directory(Directory like, String prefix) {
        this.pbx = like.pbx;
        this.prefix = prefix;
        this.domain = like.domain;
        this.defaultUser = like.defaultUser;
        this.signalled = like.signalled;
        this.dialled = like.dialled;
        this.outsidePrefixes = like.outsidePrefixes;
        this.durationUnit = like.durationUnit;
        this.byName = like.byName;
        this.byId = like.byId;
    }

    /**
     * The same directory; where no prefix is configured, one whose prefix is that of an extension which is ours for sure.
     *
     * @param ours a field that names such an extension; may be {@code null}
     */
    Directory knowing(String ours) {
        String said = ours == null ? "" : clientPrefix(userPart(ours));
        return prefix.isEmpty() && !said.isEmpty() ? new Directory(this, said) : this;
    }

    /**
     * The extension that emits a leg: one of ours, although neither the prefix nor the list knows it.
     *
     * @param extension the field with its full name, if there is one; else the field with its number counts, unless that
     *            holds a phone number
     * @return {@code null} when neither names it
     */
    static Extension emitter(String extension, String number) {
        String user = userPart(extension != null ? extension : number == null ? "" : number);
        String name = user.substring(user.lastIndexOf('*') + 1);
        boolean named = extension != null ? !name.isEmpty() : SHORT_NUMBER.matcher(user).matches();
        return named ? new Extension(name, Extension.Type.UNKNOWN, null, null) : null;
    }

    public String pbx() {
        return pbx;
    }

    public String defaultUser() {
        return defaultUser;
    }

    ChronoUnit durationUnit() {
        return durationUnit;
    }

    /** @return the configured extension with this numeric id, or {@code null} */
    public Extension byId(String id) {
        return id == null ? null : byId.get(id);
    }

    /**
     * The own extension that a field names, in any of the forms {@code 101}, {@code 453*101}, {@code 453*101@domain},
     * {@code 00500*453*101}, {@code sip:…} (rules R8, R9). An extension with our prefix is ours even if it is not
     * configured.
     *
     * @return {@code null} when the field names none of ours
     */
    public Extension own(String raw) {
        if (raw == null) {
            return null;
        }
        String user = userPart(raw);
        int star = user.lastIndexOf('*');
        String name = user.substring(star + 1);
        if (name.isEmpty()) {
            return null;
        }
        Extension known = byName.get(name);
        if (star < 0) {
            return known != null && ourDomain(raw) ? known : null;
        }
        if (prefix.isEmpty()) {
            return known;
        }
        if (!clientPrefix(user).equals(prefix)) {
            return null;
        }
        return known != null ? known : new Extension(name, Extension.Type.UNKNOWN, null, null);
    }

    /** Who a number field means that the network told (rules R9, R15, R56). An absent field is a hidden party. */
    public Party party(String raw) {
        return party(raw, user -> read(user, signalled));
    }

    /** Whom a field means that somebody dialled: a number of the own country, or one behind that country's way abroad (R33). */
    public Party dialled(String raw) {
        return party(raw, this::readDialled);
    }

    /** Whether this, dialled, reaches a number: what a PBX was given to dial may as well be a name or an internal code. */
    public boolean reachesNumber(String dialled) {
        return dialled != null && readDialled(userPart(dialled)) != null;
    }

    private Party party(String raw, Function<String, String> e164) {
        if (raw == null || HIDDEN_WORDS.contains(userPart(raw).toLowerCase(Locale.ROOT))
                || raw.toLowerCase(Locale.ROOT).contains(HIDDEN_HOST)) {
            return new Party(Party.Kind.HIDDEN, null, null, raw);
        }
        Extension own = own(raw);
        if (own != null) {
            return new Party(Party.Kind.OWN, own, null, raw);
        }
        String user = userPart(raw);
        String international = e164.apply(user);
        if (international == null && !NUMBER.matcher(user).matches() && !DIALLABLE.matcher(user).matches()) {
            return new Party(Party.Kind.HIDDEN, null, null, raw);
        }
        return new Party(Party.Kind.OUTSIDE, null, international != null ? international : raw, raw);
    }

    /** An extension by its name, ours although perhaps not configured. @param type {@code null}: nobody says it */
    Extension named(String name, Extension.Type type) {
        return byName.getOrDefault(name, new Extension(name, type == null ? Extension.Type.UNKNOWN : type, null, null));
    }

    /** Whom a number means that is no extension of ours for sure, although it may look like one. */
    static Party outside(Party party) {
        return party.own() ? new Party(Party.Kind.OUTSIDE, null, party.raw(), party.raw()) : party;
    }

    /** The DID in E.164, or as it came. */
    public String did(String raw) {
        if (raw == null) {
            return null;
        }
        String international = read(userPart(raw), signalled);
        return international != null ? international : raw;
    }

    private String readDialled(String user) {
        Stream<String> outside = outsidePrefixes.stream().filter(user::startsWith)
                .map(digits -> PAUSE.matcher(user.substring(digits.length())).replaceFirst(""));
        return Stream.concat(outside, Stream.of(user)).map(number -> read(number, dialled)).filter(Objects::nonNull).findFirst().orElse(null);
    }

    private static String read(String user, Function<String, String> e164) {
        Matcher number = NUMBER.matcher(user);
        return number.matches() ? e164.apply(number.group(1).strip()) : null;
    }

    /** Of a longer prefix (domain prefix, client prefix) the last part is the client's; empty: there is none. */
    private static String clientPrefix(String user) {
        String before = user.substring(0, Math.max(0, user.lastIndexOf('*')));
        return before.substring(before.lastIndexOf('*') + 1);
    }

    private boolean ourDomain(String raw) {
        int at = raw.indexOf('@');
        return at < 0 || domain.isEmpty() || raw.substring(at + 1).toLowerCase(Locale.ROOT).startsWith(domain);
    }

    /** The user part of {@code "Name" <sip:user;params@host>}, {@code tel:user}, {@code user@host} or plain {@code user}. */
    private static String userPart(String raw) {
        Matcher uri = URI.matcher(raw);
        return uri.matches() ? uri.group(1).strip() : raw.strip();
    }
}
