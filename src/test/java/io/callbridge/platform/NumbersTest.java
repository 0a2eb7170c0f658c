package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers as they are dialled or signalled, in E.164 (rule R33). Empty: it stays as it came. */
class NumbersTest {

    @ParameterizedTest
    @CsvSource({
            "RU, +79000000010, +79000000010", "RU, 89000000010, +79000000010", "RU, 8 (900) 000-00-10, +79000000010",
            "RU, 74950000001, +74950000001", "RU, 4950000001, +74950000001", "RU, 810493012345678, +493012345678",
            "RU, +375291234567, +375291234567", "RU, 375291234567, +375291234567", "RU, 0079000000010, +79000000010",
            "RU, 8900000001, ", "RU, 7900000001, ", "RU, 890000000100, ", "RU, 0000000000, ", "RU, 1234567890, ", "RU, +71234567890, +71234567890",
            "RU, 6834002, ", "RU, 683-40-02, ", "RU, 5551234, ", "RU, 101, ", "RU, 0541, ",
            "US, 2125550123, +12125550123", "US, 12125550123, +12125550123", "US, 01179000000010, +79000000010",
            "US, 79000000010, +79000000010", "US, 212555012, ", "US, 5550123, ", "US, 101, ",
            "DE, 03012345678, +493012345678", "DE, 0079000000010, +79000000010", "DE, +493012345678, +493012345678", "DE, 11, ",
            "GB, 02079460000, +442079460000", "GB, 0079000000010, +79000000010", "GB, 101, "})
    void aNumberIsReadAsItIsMeantInItsCountry(String country, String dialled, String number) {
        assertEquals(number, Settings.e164(dialled, country));
    }

    @ParameterizedTest
    @CsvSource({"+79000000010, +79000000010", "79000000010, ", "89000000010, ", "00493012345678, ", "+7900, ", "anonymous, "})
    void withoutACountryOnlyAPlusIsRead(String dialled, String number) {
        assertEquals(number, Settings.e164(dialled, null));
    }
}
