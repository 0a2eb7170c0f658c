package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which answers mean that a CRM refuses Callbridge itself, and what may be said of them in a log. */
class FailuresTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', nullValues = "none", value = {
        "<!DOCTYPE html><html><head><title>Sign in</title> | the page 'Sign in' instead of data",
        "`\uFEFF\r\n <html lang=\"en\">` | a page instead of data",
        "`<?xml version=\"1.0\"?>\n<!-- <b> -->\n<!doctype HTML PUBLIC>\n<TITLE dir=ltr>\n Log\n in </TITLE>` | the page 'Log in' instead of data",
        "<head><title></title> | a page instead of data",
        "`` | none",
        "OK | none",
        "{\"html\":\"<html>\"} | none",
        "<Response><Authentication>Failure</Authentication></Response> | none",
        "<htmlish/> | none",
        "none | none"})
    void aPage(String body, String said) {
        assertEquals(said, Failures.page(body));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "none", value = {
        "401 | none | answer 401, it does not accept the token or password",
        "403 | none | answer 403, the token or password lacks rights",
        "301 | https://crm.example:8443/rest/1/secret | answer 301, it has moved to https://crm.example:8443",
        "307 | https://anna:secret@crm.example/ | answer 307, it has moved to https://crm.example",
        "302 | /login?secret | answer 302, it has moved to another path",
        "308 | h ttp: secret | answer 308, it has moved to another address",
        "304 | none | answer 304, it is elsewhere",
        "400 | none | none", "404 | none | none", "429 | none | none", "500 | none | none", "200 | none | none"})
    void aRefusal(int status, String location, String said) {
        assertEquals(said, Failures.refusal(status, location));
    }
}
