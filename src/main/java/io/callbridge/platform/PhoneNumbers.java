package io.callbridge.platform;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.i18n.phonenumbers.NumberParseException;
import com.google.i18n.phonenumbers.PhoneNumberUtil.PhoneNumberFormat;
import com.google.i18n.phonenumbers.PhoneNumberUtil.ValidationResult;
import com.google.i18n.phonenumbers.PhoneNumberUtil;
import com.google.i18n.phonenumbers.Phonenumber.PhoneNumber;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Reads numbers as people and PBXs write them, by the numbering plans. */
public final class PhoneNumbers {

    /** Numbers that are kept as they were read. */
    private static final int NUMBERS = 10_000;
    private static final Cache<String, List<String>> FORMS = Caffeine.newBuilder().maximumSize(NUMBERS).build();
    /** Digits of a foreign number, at least. A shorter one may be a local one that looks like it. */
    private static final int LEAST_FOREIGN = 10;
    private static final int MEXICO = 52;

    private PhoneNumbers() {
    }

    /** A call is evaluated several times, and reading a number would cost more than all the rest. */
    static UnaryOperator<String> cached(UnaryOperator<String> read) {
        Cache<String, Optional<String>> numbers = Caffeine.newBuilder().maximumSize(NUMBERS).build();
        return number -> numbers.get(number, text -> Optional.ofNullable(read.apply(text))).orElse(null);
    }

    /**
     * A number as signalled in a country, in E.164. Of a number with {@code +} only the length is judged: numbering
     * plans change faster than a list of valid ranges. One without is rewritten only to a valid number: as the country means it,
     * else as one whose {@code +} was lost, else as one behind {@code 00}. A misdialled one would be somebody else's, and one
     * without its area code cannot be read: nobody knows which area is meant.
     *
     * @param country {@code null}: only a number with {@code +} can be read
     * @return {@code null} if it cannot be read
     */
    public static String e164(String number, String country) {
        if (country == null || number.startsWith("+")) {
            return e164(number, country, (util, parsed) -> util.isPossibleNumberWithReason(parsed) == ValidationResult.IS_POSSIBLE);
        }
        String digits = number.replaceAll("[^0-9]", "");
        String read = e164(number, country, PhoneNumberUtil::isValidNumber);
        if (read == null && digits.length() >= LEAST_FOREIGN) {
            read = e164("+" + digits, country, PhoneNumberUtil::isValidNumber);
        }
        return read != null ? read : abroad(digits, country);
    }

    /**
     * A number as dialled in a country, in E.164. Nobody dials one whose {@code +} was lost: what looks like it is a number of
     * the own country behind a digit for the outside line, 9 12025550145. So is what is behind {@code 00} where numbers begin
     * with 0 themselves, and the way abroad is another.
     *
     * @return {@code null} if it cannot be read
     */
    public static String dialled(String number, String country) {
        if (number.startsWith("+")) {
            return e164(number, country);
        }
        String read = e164(number, country, PhoneNumberUtil::isValidNumber);
        String trunk = PhoneNumberUtil.getInstance().getNddPrefixForRegion(country, true);
        return read != null || "0".equals(trunk) ? read : abroad(number.replaceAll("[^0-9]", ""), country);
    }

    private static String abroad(String digits, String country) {
        boolean looksLikeIt = digits.length() >= LEAST_FOREIGN && digits.startsWith("00");
        return looksLikeIt ? e164("+" + digits.substring(2), country, PhoneNumberUtil::isValidNumber) : null;
    }

    /**
     * The numbers to ask a CRM for, if this one is somebody's: the number itself if it is valid. A numbering plan changes, and people
     * keep what they once wrote: any other with country code is asked for as it is, and then as the plan has it now, without the
     * digit that Mexico's mobile phones had until 2019, or with that of Argentina's.
     *
     * @return empty: it cannot be looked up
     */
    public static List<String> forms(String number) {
        return FORMS.get(number, PhoneNumbers::read);
    }

    private static List<String> read(String number) {
        String plain = number.replaceAll("[ ().\u00a0\u2013/-]", "");
        if (!plain.matches("\\+[0-9]{8,15}") && !plain.equals(e164(plain, null))) {
            return List.of();
        }
        Set<String> forms = new LinkedHashSet<>(List.of(plain));
        try {
            PhoneNumberUtil plan = PhoneNumberUtil.getInstance();
            PhoneNumber read = plan.parse(plain, null);
            if (!plan.isValidNumber(read)) {
                int country = read.getCountryCode();
                String national = plan.getNationalSignificantNumber(read);
                String mobile = country == MEXICO ? "1" : PhoneNumberUtil.getCountryMobileToken(country);
                String without = national.startsWith(mobile) ? national.substring(mobile.length()) : national;
                Stream.of(mobile + national, without).map(form -> e164("+" + country + form, null, PhoneNumberUtil::isValidNumber))
                        .filter(Objects::nonNull).forEach(forms::add);
            }
        } catch (NumberParseException noSuchCountry) {
            // It is asked for as it is.
        }
        return List.copyOf(forms);
    }

    private static String e164(String number, String country, BiPredicate<PhoneNumberUtil, PhoneNumber> fits) {
        try {
            PhoneNumberUtil util = PhoneNumberUtil.getInstance();
            PhoneNumber parsed = util.parse(number, country);
            return fits.test(util, parsed) ? util.format(parsed, PhoneNumberFormat.E164) : null;
        } catch (NumberParseException notANumber) {
            return null;
        }
    }
}
