package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.callbridge.domain.Directory;
import io.callbridge.domain.Party;
import io.callbridge.support.TestConfig;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whom a field with a number means, and the number that a CRM is told. One that cannot be read stays as it came, since a wrong
 * one would be somebody else's. The extension is 101, the prefix 453.
 */
class NumberFormatsTest {

    private static final Map<String, Directory> DIRECTORIES = new ConcurrentHashMap<>();

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # national and international, in Russia
            RU | +79161234567                        | OUTSIDE | +79161234567
            RU | 79161234567                         | OUTSIDE | +79161234567
            RU | 89161234567                         | OUTSIDE | +79161234567
            RU | 9161234567                          | OUTSIDE | +79161234567
            RU | 4951234567                          | OUTSIDE | +74951234567
            RU | 88005553535                         | OUTSIDE | +78005553535
            RU | 8005553535                          | OUTSIDE | +78005553535
            RU | 87011234567                         | OUTSIDE | +77011234567
            RU | 77011234567                         | OUTSIDE | +77011234567
            RU | 7011234567                          | OUTSIDE | +77011234567
            # formatted
            RU | 8 (916) 123-45-67                   | OUTSIDE | +79161234567
            RU | +7(916)1234567                      | OUTSIDE | +79161234567
            RU | (+7) 916 123-45-67                  | OUTSIDE | +79161234567
            RU | (495) 123-45-67                     | OUTSIDE | +74951234567
            RU | 8.916.123.45.67                     | OUTSIDE | +79161234567
            RU | 8\u00a0916\u00a0123\u201345\u201367 | OUTSIDE | +79161234567
            RU | 916/1234567                         | OUTSIDE | +79161234567
            # other countries: dialled with 810 or 00, or signalled without a plus
            RU | 810375291234567                     | OUTSIDE | +375291234567
            RU | 8 10 375 29 123-45-67               | OUTSIDE | +375291234567
            RU | 81049301234567                      | OUTSIDE | +49301234567
            RU | 375291234567                        | OUTSIDE | +375291234567
            RU | 491711234567                        | OUTSIDE | +491711234567
            RU | 0079161234567                       | OUTSIDE | +79161234567
            RU | 00491711234567                      | OUTSIDE | +491711234567
            RU | +49 30 1234567                      | OUTSIDE | +49301234567
            # with an extension behind it
            RU | +7 916 123-45-67 доб. 12            | OUTSIDE | +79161234567
            RU | 84951234567 ДОБ 12                  | OUTSIDE | +74951234567
            RU | 8 (495) 123-45-67, доб.12           | OUTSIDE | +74951234567
            RU | +7 916 123-45-67 ext. 12            | OUTSIDE | +79161234567
            RU | 89161234567,12                      | OUTSIDE | +79161234567
            RU | 89161234567,,12#                    | OUTSIDE | +79161234567
            RU | 89161234567#                        | OUTSIDE | +79161234567
            RU | 89161234567;ext=5                   | OUTSIDE | +79161234567
            RU | 89161234567x12                      | OUTSIDE | +79161234567
            # addresses
            RU | tel:+79161234567                    | OUTSIDE | +79161234567
            RU | tel:+7-916-123-45-67;ext=5          | OUTSIDE | +79161234567
            RU | tel:89161234567;phone-context=+7    | OUTSIDE | +79161234567
            RU | sip:+79161234567@gw.example         | OUTSIDE | +79161234567
            RU | SIP:89161234567@gw.example:5060;user=phone | OUTSIDE | +79161234567
            RU | sips:79161234567@gw.example         | OUTSIDE | +79161234567
            RU | "Ivanov" <sip:+79161234567@gw.example>;tag=1 | OUTSIDE | +79161234567
            RU | 89161234567@gw.example              | OUTSIDE | +79161234567
            RU | sip:101@gw.example                  | OUTSIDE | sip:101@gw.example
            RU | sip:ivanov@gw.example               | HIDDEN  |
            # one of ours
            RU | 101                                 | OWN     |
            RU | 453*101                             | OWN     |
            RU | 453*199                             | OWN     |
            RU | 00500*453*101                       | OWN     |
            RU | sip:453*101@sip.pbx.example         | OWN     |
            RU | 454*101                             | OUTSIDE | 454*101
            # short ones and services
            RU | 102                                 | OUTSIDE | 102
            RU | 1001                                | OUTSIDE | 1001
            RU | 8800                                | OUTSIDE | 8800
            RU | 0541                                | OUTSIDE | 0541
            RU | 0                                   | OUTSIDE | 0
            RU | *78                                 | OUTSIDE | *78
            RU | *31#89161234567                     | OUTSIDE | *31#89161234567
            RU | 102,5                               | OUTSIDE | 102,5
            # without the area, a digit lost, too long, nonsense
            RU | 1234567                             | OUTSIDE | 1234567
            RU | 6834002                             | OUTSIDE | 6834002
            RU | 8916123456                          | OUTSIDE | 8916123456
            RU | 7916123456                          | OUTSIDE | 7916123456
            RU | 916123456                           | OUTSIDE | 916123456
            RU | 891612345678                        | OUTSIDE | 891612345678
            RU | 791612345678                        | OUTSIDE | 791612345678
            RU | 70000000000                         | OUTSIDE | 70000000000
            RU | 0000000000                          | OUTSIDE | 0000000000
            RU | +8 916 1234567                      | OUTSIDE | +8 916 1234567
            RU | 123456789012345678                  | OUTSIDE | 123456789012345678
            RU | 1234567890                          | OUTSIDE | 1234567890
            RU | +71234567890                        | OUTSIDE | +71234567890
            # nobody
            RU |                                     | HIDDEN  |
            RU | ''                                  | HIDDEN  |
            RU | anonymous                           | HIDDEN  |
            RU | unknown                             | HIDDEN  |
            RU | <unknown>                           | HIDDEN  |
            RU | private                             | HIDDEN  |
            RU | Restricted                          | HIDDEN  |
            RU | unavailable                         | HIDDEN  |
            RU | withheld                            | HIDDEN  |
            RU | s                                   | HIDDEN  |
            RU | +                                   | HIDDEN  |
            RU | Скрытый номер                       | HIDDEN  |
            RU | "Anonymous" <sip:anonymous@anonymous.invalid> | HIDDEN |
            RU | sip:89161234567@anonymous.invalid   | HIDDEN  |
            # elsewhere
            KZ | 87011234567                         | OUTSIDE | +77011234567
            KZ | 89161234567                         | OUTSIDE | +79161234567
            BY | 80291234567                         | OUTSIDE | +375291234567
            BY | 79161234567                         | OUTSIDE | +79161234567
            UA | 0501234567                          | OUTSIDE | +380501234567
            UA | 0079161234567                       | OUTSIDE | +79161234567
            DE | 030/12345678                        | OUTSIDE | +493012345678
            DE | 0079161234567                       | OUTSIDE | +79161234567
            DE | 110                                 | OUTSIDE | 110
            US | (202) 555-0143 ext. 7               | OUTSIDE | +12025550143
            US | 12025550143                         | OUTSIDE | +12025550143
            US | 202555014                           | OUTSIDE | 202555014
            US | 01179161234567                      | OUTSIDE | +79161234567
            US | 79161234567                         | OUTSIDE | +79161234567
            US | 911                                 | OUTSIDE | 911
            US | 5550123                             | OUTSIDE | 5550123
            GB | 020 7946 0000                       | OUTSIDE | +442079460000
            GB | +44 (0)20 7946 0000                 | OUTSIDE | +442079460000
            """)
    void aFieldMeans(String country, String raw, Party.Kind kind, String number) {
        String field = raw == null ? null : unescaped(raw);
        Party party = DIRECTORIES.computeIfAbsent(country, any -> directory(any, null)).party(field);
        assertEquals(kind, party.kind());
        assertEquals(number, party.number());
        assertEquals(field, party.raw());
    }

    /**
     * What somebody dialled is a number of his own country, or one behind that country's way abroad, whatever digit he had to
     * dial for the outside line: where nobody said which, it stays as it came.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # country | outside-prefix | dialled | number
            US |       | 912025550145          | 912025550145
            US | 9     | 912025550145          | +12025550145
            US | 9     | 92025550145           | +12025550145
            US | 9     | 12025550145           | +12025550145
            US | 9     | 2025550145            | +12025550145
            US | 9     | 9175550145            | +19175550145
            US | 9     | 9,1 (202) 555-0145    | +12025550145
            US | 9     | 9w12025550145         | +12025550145
            US | 9     | 9-202-555-0145 ext. 7 | +12025550145
            US | 9     | 9+12025550145         | +12025550145
            US | 9     | 901179161234567       | +79161234567
            US | 9     | 9011442079460000      | +442079460000
            US | 9     | sip:912025550145@gw.example | +12025550145
            US | 9     | 9911                  | 9911
            US | 9     | 9101                  | 9101
            US | 9, 81 | 8112025550145         | +12025550145
            US | 8,88  | 8812025550145         | +12025550145
            US |       | 442079460000          | 442079460000
            US |       | 00442079460000        | +442079460000
            CA | 9     | 914165550123          | +14165550123
            RU |       | 989000000010          | 989000000010
            RU | 9     | 989000000010          | +79000000010
            RU | 9     | 94951234567           | +74951234567
            RU | 9     | 9161234567            | +79161234567
            RU | 9     | 99161234567           | +79161234567
            RU | 9     | 9810375291234567      | +375291234567
            RU | 9     | +79000000010          | +79000000010
            RU |       | 810493012345678       | +493012345678
            RU |       | 375291234567          | 375291234567
            RU |       | 79000000010           | +79000000010
            KZ | 9     | 987011234567          | +77011234567
            BY | 9     | 980291234567          | +375291234567
            UA | 9     | 90501234567           | +380501234567
            DE | 0     | 003012345678          | +493012345678
            DE | 0     | 001711234567          | +491711234567
            DE | 0     | 00079161234567        | +79161234567
            DE |       | 0079161234567         | +79161234567
            GB |       | 902079460000          | 902079460000
            GB | 9     | 902079460000          | +442079460000
            GB | 9     | 90079161234567        | +79161234567
            FR | 0     | 00612345678           | +33612345678
            IT | 0     | 00612345678           | +390612345678
            ES | 0     | 0612345678            | +34612345678
            AU |       | 00442079460000        | 00442079460000
            JP | 0     | 00312345678           | +81312345678
            AU | 0     | 00412345678           | +61412345678
            MX | 9     | 95512345678           | +525512345678
            MX | 9     | +52 55 1234 5678      | +525512345678
            """)
    void aDialledFieldMeans(String country, String outsidePrefix, String raw, String number) {
        Directory directory = directory(country, outsidePrefix);
        Party party = directory.dialled(raw);
        assertEquals(Party.Kind.OUTSIDE, party.kind());
        assertEquals(number, party.number());
        assertEquals(raw, party.raw());
        assertEquals(number.startsWith("+"), directory.reachesNumber(raw));
    }

    @ParameterizedTest
    @ValueSource(strings = {"*9", "9;8", "12345"})
    void anOutsidePrefixIsDigits(String wrong) {
        StartException refused = assertThrows(StartException.class, () -> directory("US", wrong));
        assertEquals("callbridge.pbx.main.outside-prefix is '" + wrong + "'; allowed: the digits that are dialled for an outside line,"
                + " such as 9; several with commas between", refused.getMessage());
    }

    /**
     * By which numbers the CRMs are asked who it is. One with country code is asked for even if no plan has it, and in the form
     * that the plan has today; any other could be anybody's.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # valid today
            +79161234567        | +79161234567
            +525512345678       | +525512345678
            +5491123456789      | +5491123456789
            +541115234567       | +541115234567
            # Mexico's mobile phones had a 1 there until 2019
            +5215512345678      | +5215512345678 +525512345678
            +52 1 55 1234 5678  | +5215512345678 +525512345678
            +52 (1) 33-1234-5678 | +5213312345678 +523312345678
            +521551234567       | +521551234567
            # ranges that no plan has, lengths that it had, countries that there are not
            +70000000000        | +70000000000
            +551187654321       | +551187654321
            +22912345678        | +22912345678
            +2250712345         | +2250712345
            +99890123456789     | +99890123456789
            +33033123456789     | +33033123456789
            +8 916 1234567      | +89161234567
            +999123456789       | +999123456789
            +12025550           | +12025550
            # too short, too long, or of no country
            +1234567            | ''
            +1234567890123456   | ''
            89161234567         | ''
            5512345678          | ''
            12345678901234      | ''
            102                 | ''
            *31#89161234567     | ''
            +7916123456a        | ''
            """)
    void whoIsLookedUp(String number, String forms) {
        assertEquals(forms, String.join(" ", Settings.forms(number)));
    }

    /** As a person types it who asks a CRM for it. */
    @ParameterizedTest
    @CsvSource({"+79000000010, +79000000010", "79000000010, ", "89000000010, ", "00493012345678, ", "+7900, ", "anonymous, "})
    void withoutACountryOnlyAPlusIsRead(String typed, String number) {
        assertEquals(number, Settings.e164(typed, null));
    }

    private static String unescaped(String raw) {
        return raw.replace("\\u00a0", "\u00a0").replace("\\u2013", "\u2013");
    }

    private static Directory directory(String country, String outsidePrefix) {
        return TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more",
                "callbridge.pbx.main.country", country, "callbridge.pbx.main.outside-prefix", outsidePrefix == null ? "" : outsidePrefix,
                "callbridge.pbx.main.prefix", "453", "callbridge.pbx.main.domain", "sip.pbx.example",
                "callbridge.pbx.main.extensions.101.user", "anna"), Map.of())).directory("main");
    }
}
