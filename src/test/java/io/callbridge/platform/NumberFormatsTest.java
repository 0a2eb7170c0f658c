package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.domain.Directory;
import io.callbridge.domain.Party;
import io.callbridge.support.TestConfig;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whom a field with a number means, and the number that a CRM is told. One that cannot be read stays as it came, since a wrong
 * one would be somebody else's: = in the tables, which have in each row what means the same. The extension is 101, the prefix 453.
 */
class NumberFormatsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # national and international, in Russia
            RU | = | +79161234567
            RU | +79161234567 | 79161234567 ; 89161234567 ; 9161234567
            RU | +74951234567 | 4951234567
            RU | +78005553535 | 88005553535 ; 8005553535
            RU | +77011234567 | 87011234567 ; 77011234567 ; 7011234567
            # formatted
            RU | +79161234567 | 8 (916) 123-45-67 ; +7(916)1234567 ; (+7) 916 123-45-67 ; 8.916.123.45.67
            RU | +79161234567 | 8\u00a0916\u00a0123\u201345\u201367 ; 916/1234567
            RU | +74951234567 | (495) 123-45-67
            # other countries: dialled with 810 or 00, or signalled without a plus
            RU | +375291234567 | 810375291234567 ; 8 10 375 29 123-45-67 ; 375291234567
            RU | +49301234567 | 81049301234567 ; +49 30 1234567
            RU | +491711234567 | 491711234567 ; 00491711234567
            RU | +79161234567 | 0079161234567
            # with an extension behind it
            RU | +79161234567 | +7 916 123-45-67 доб. 12 ; +7 916 123-45-67 ext. 12 ; 89161234567,12 ; 89161234567,,12# ; 89161234567#
            RU | +79161234567 | 89161234567;ext=5 ; 89161234567x12
            RU | +74951234567 | 84951234567 ДОБ 12 ; 8 (495) 123-45-67, доб.12
            # addresses
            RU | +79161234567 | tel:+79161234567 ; tel:+7-916-123-45-67;ext=5 ; tel:89161234567;phone-context=+7
            RU | +79161234567 | sip:+79161234567@gw.example ; SIP:89161234567@gw.example:5060;user=phone ; sips:79161234567@gw.example
            RU | +79161234567 | "Ivanov" <sip:+79161234567@gw.example>;tag=1 ; 89161234567@gw.example
            RU | = | sip:101@gw.example
            RU | HIDDEN | sip:ivanov@gw.example
            # one of ours
            RU | OWN | 101 ; 453*101 ; 453*199 ; 00500*453*101 ; sip:453*101@sip.pbx.example
            RU | = | 454*101
            # short ones and services
            RU | = | 102 ; 1001 ; 8800 ; 0541 ; 0 ; *78 ; *31#89161234567 ; 102,5
            # without the area, a digit lost, too long, nonsense
            RU | = | 1234567 ; 6834002 ; 8916123456 ; 7916123456 ; 916123456 ; 891612345678 ; 791612345678 ; 70000000000 ; 0000000000
            RU | = | +8 916 1234567 ; 123456789012345678 ; 1234567890 ; +71234567890
            # nobody
            RU | HIDDEN | null ; empty ; anonymous ; unknown ; <unknown> ; private ; Restricted ; unavailable ; withheld ; s ; +
            RU | HIDDEN | Скрытый номер ; "Anonymous" <sip:anonymous@anonymous.invalid> ; sip:89161234567@anonymous.invalid
            # elsewhere
            KZ | +77011234567 | 87011234567
            KZ | +79161234567 | 89161234567
            BY | +375291234567 | 80291234567
            BY | +79161234567 | 79161234567
            UA | +380501234567 | 0501234567
            UA | +79161234567 | 0079161234567
            DE | +493012345678 | 030/12345678
            DE | +79161234567 | 0079161234567
            DE | = | 110
            US | +12025550143 | (202) 555-0143 ext. 7 ; 12025550143
            US | = | 202555014 ; 911 ; 5550123
            US | +79161234567 | 01179161234567 ; 79161234567
            GB | +442079460000 | 020 7946 0000 ; +44 (0)20 7946 0000
            """)
    void aFieldMeans(String country, String meant, String forms) {
        Directory directory = directory(country, null);
        for (String form : forms.split(" ; ")) {
            String field = form.equals("null") ? null : form.equals("empty") ? "" : form;
            Party party = directory.party(field);
            boolean outside = !meant.equals("OWN") && !meant.equals("HIDDEN");
            assertEquals(outside ? "OUTSIDE" : meant, party.kind().name(), form);
            assertEquals(outside ? meant.equals("=") ? form : meant : null, party.number(), form);
            assertEquals(field, party.raw());
        }
    }

    /**
     * What somebody dialled is a number of his own country, or one behind that country's way abroad, whatever digit he had to
     * dial for the outside line: where nobody said which, it stays as it came.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # country | outside-prefix | number, = if it stays as it came | what was dialled
            US |  | = | 912025550145 ; 442079460000
            US | 9 | +12025550145 | 912025550145 ; 92025550145 ; 12025550145 ; 2025550145 ; 9,1 (202) 555-0145 ; 9w12025550145
            US | 9 | +12025550145 | 9-202-555-0145 ext. 7 ; 9+12025550145 ; sip:912025550145@gw.example
            US | 9 | +19175550145 | 9175550145
            US | 9 | +79161234567 | 901179161234567
            US | 9 | +442079460000 | 9011442079460000
            US | 9 | = | 9911 ; 9101
            US | 9, 81 | +12025550145 | 8112025550145
            US | 8,88 | +12025550145 | 8812025550145
            US |  | +442079460000 | 00442079460000
            CA | 9 | +14165550123 | 914165550123
            RU |  | = | 989000000010 ; 375291234567
            RU | 9 | +79000000010 | 989000000010
            RU | 9 | +74951234567 | 94951234567
            RU | 9 | +79161234567 | 9161234567 ; 99161234567
            RU | 9 | +375291234567 | 9810375291234567
            RU | 9 | = | +79000000010
            RU |  | +493012345678 | 810493012345678
            RU |  | +79000000010 | 79000000010
            KZ | 9 | +77011234567 | 987011234567
            BY | 9 | +375291234567 | 980291234567
            UA | 9 | +380501234567 | 90501234567
            DE | 0 | +493012345678 | 003012345678
            DE | 0 | +491711234567 | 001711234567
            DE | 0 | +79161234567 | 00079161234567
            DE |  | +79161234567 | 0079161234567
            GB |  | = | 902079460000
            GB | 9 | +442079460000 | 902079460000
            GB | 9 | +79161234567 | 90079161234567
            FR | 0 | +33612345678 | 00612345678
            IT | 0 | +390612345678 | 00612345678
            ES | 0 | +34612345678 | 0612345678
            AU |  | = | 00442079460000
            JP | 0 | +81312345678 | 00312345678
            AU | 0 | +61412345678 | 00412345678
            MX | 9 | +525512345678 | 95512345678 ; +52 55 1234 5678
            """)
    void aDialledFieldMeans(String country, String outsidePrefix, String meant, String forms) {
        Directory directory = directory(country, outsidePrefix);
        for (String form : forms.split(" ; ")) {
            String number = meant.equals("=") ? form : meant;
            assertEquals(new Party(Party.Kind.OUTSIDE, null, number, form), directory.dialled(form));
            assertEquals(number.startsWith("+"), directory.reachesNumber(form), form);
        }
    }

    /**
     * By which numbers the CRMs are asked who it is. One with country code is asked for even if no plan has it, and in the form
     * that the plan has today; any other could be anybody's.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # valid today
            = | +79161234567 ; +525512345678 ; +5491123456789 ; +541115234567
            # Mexico's mobile phones had a 1 there until 2019
            +5215512345678 +525512345678 | +5215512345678 ; +52 1 55 1234 5678
            +5213312345678 +523312345678 | +52 (1) 33-1234-5678
            = | +521551234567
            # ranges that no plan has, lengths that it had, countries that there are not
            = | +70000000000 ; +551187654321 ; +22912345678 ; +2250712345 ; +99890123456789 ; +33033123456789 ; +999123456789 ; +12025550
            +89161234567 | +8 916 1234567
            # too short, too long, or of no country
            '' | +1234567 ; +1234567890123456 ; 89161234567 ; 5512345678 ; 12345678901234 ; 102 ; *31#89161234567 ; +7916123456a
            """)
    void whoIsLookedUp(String asked, String forms) {
        for (String form : forms.split(" ; ")) {
            assertEquals(asked.equals("=") ? form : asked, String.join(" ", PhoneNumbers.forms(form)), form);
        }
    }

    /** As a person types it who asks a CRM for it. */
    @ParameterizedTest
    @CsvSource({"+79000000010, +79000000010", "79000000010, ", "89000000010, ", "00493012345678, ", "+7900, ", "anonymous, "})
    void withoutACountryOnlyAPlusIsRead(String typed, String number) {
        assertEquals(number, PhoneNumbers.e164(typed, null));
    }

    private static Directory directory(String country, String outsidePrefix) {
        return TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more",
                "callbridge.pbx.main.country", country, "callbridge.pbx.main.outside-prefix", outsidePrefix == null ? "" : outsidePrefix,
                "callbridge.pbx.main.prefix", "453", "callbridge.pbx.main.domain", "sip.pbx.example",
                "callbridge.pbx.main.extensions.101.user", "anna"), Map.of())).directory("main");
    }
}
