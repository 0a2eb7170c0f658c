package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn.Request;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A stand-in that is milder than its vendor would make the adapter's tests pass for nothing. */
class CrmStandInsTest {

    private static final String REGISTER = Bitrix24StandIn.WEBHOOK + "/telephony.externalCall.register";
    private static final Map<String, String> GOOD = Map.of("/api/v4/calls", """
            [{'direction':'inbound','duration':95,'source':'callbridge','phone':'+79161234567','uniq':'leg-1','call_status':4,
              'link':'https://pbx.example/1','responsible_user_id':7,'created_at':1772868030}]""",
            "/crm/v3/objects/calls", """
            {'properties':{'hs_timestamp':1795770005000,'hs_call_direction':'INBOUND','hs_call_duration':'61000',
              'hs_call_status':'COMPLETED','hs_call_recording_url':'https://pbx.example/1','hubspot_owner_id':'301','callbridge_id':'leg-1'},
             'associations':[{'to':{'id':'51'},'types':[{'associationCategory':'HUBSPOT_DEFINED','associationTypeId':194}]}]}""",
            "/api/v5/telephony/calls/upload", """
            calls=[{'date':'2026-11-27 12:00:05','type':'in','phone':'79000000010','code':'101','result':'no answer','duration':61,
              'externalId':'71101-a','recordUrl':'https://pbx.example/1'}]""",
            REGISTER, """
            {'USER_ID':7,'PHONE_NUMBER':'+79161234567','TYPE':2,'CALL_START_DATE':'2026-03-07T10:20:30+03:00','EXTERNAL_CALL_ID':'leg-1'}""");
    private static final String FORM = "application/x-www-form-urlencoded";
    private static final String VTIGER = "vtigersignature=" + VtigerStandIn.SIGNATURE + "&callUUID=a&callstatus=";

    /** @param change what is instead of what in a good request; and nobody without the key is let in */
    @ParameterizedTest
    @CsvSource(quoteCharacter = '~', delimiter = '|', textBlock = """
            /api/v4/calls | 'duration':95,>
            /api/v4/calls | 1772868030>1772868030000
            /api/v4/calls | 1234567>0000001
            /crm/v3/objects/calls | callbridge_id>other_id
            /crm/v3/objects/calls | '51'>'59'
            /api/v5/telephony/calls/upload | no answer>no answered
            /api/v5/telephony/calls/upload | 2026-11-27>2026-02-30
            register | 'USER_ID':7>'USER_ID':9
            register | +79161234567>anonymous
            """)
    void whatItRefuses(String kind, String change) {
        String path = kind.equals("register") ? REGISTER : kind;
        String[] fromTo = change.split(">", -1);
        assertEquals(200, post(path, GOOD.get(path), null).status() / 100 * 100);
        assertTrue(GOOD.get(path).contains(fromTo[0]), fromTo[0]);
        assertEquals(400, post(path, GOOD.get(path).replace(fromTo[0], fromTo[1]), null).status());
        assertTrue(Set.of(401, 403).contains(post(path.replace("webhook", "other"), GOOD.get(path), "other").status()));
    }

    /** @param key {@code null}: the right one */
    private static Reply post(String path, String body, String key) {
        try (AmoCrmStandIn amo = new AmoCrmStandIn(); HubSpotStandIn hub = new HubSpotStandIn(); var retail = new RetailCrmStandIn();
                var bitrix24 = new Bitrix24StandIn()) {
            bitrix24.user(7, "101", true);
            bitrix24.user(9, "103", false);
            amo.user(7);
            amo.contact("8 (916) 123-45-67", 501, "Ivanov", 7);
            hub.owner("301");
            hub.contact("51", Map.of("phone", "1"));
            retail.user(27, "101");
            StandIn crm = path.startsWith("/api/v5/") ? retail : path.startsWith("/crm/") ? hub
                    : path.startsWith("/rest/") ? bitrix24 : amo;
            String token = key != null ? key : crm == hub ? HubSpotStandIn.TOKEN : AmoCrmStandIn.TOKEN;
            return crm.answer(request(path, crm == retail ? FORM : "application/json", body.replace('\'', '"'),
                    Map.of("Authorization", List.of("Bearer " + token), "X-API-KEY", List.of(key != null ? key : RetailCrmStandIn.KEY))));
        }
    }

    private static Request request(String path, String type, String body, Map<String, List<String>> headers) {
        Map<String, List<String>> all = new HashMap<>(headers);
        all.put("Content-Type", List.of(type));
        return new Request("POST", path, null, all, body.getBytes(StandardCharsets.UTF_8), System.nanoTime());
    }

    /** Slowly, so that a slow machine does not matter. */
    @Test
    void theBucketOfBitrix24Leaks() {
        try (Bitrix24StandIn crm = new Bitrix24StandIn()) {
            crm.bucket(3, 0.02);
            crm.user(7, "101", true);
            Request register = request(REGISTER, "application/json", GOOD.get(REGISTER).replace('\'', '"'), Map.of());
            List<Integer> statuses = Stream.generate(() -> crm.answer(register).status()).limit(5).toList();
            assertEquals("[200, 200, 200, 503, 503] 2", statuses + " " + crm.refusedByLimit);
            crm.advance(Duration.ofSeconds(51));
            assertEquals(200, crm.answer(register).status());
        }
    }

    @Test
    void vtigerIsSilentAboutWhatItCannotUse() {
        try (VtigerStandIn crm = new VtigerStandIn()) {
            vtiger(crm, VTIGER + "StartApp&callerIdNumber=1&StartTime=2026-11-27 12:00:00");
            vtiger(crm, VTIGER + "Hangup&causetxt=User busy");
            assertEquals(List.of(), crm.ignored());
            for (String request : List.of("StartApp&callerIdNumber=1&StartTime=1795770000", "DialAnswer&callerId1=1&callerid2=101",
                    "Hangup&causetxt=null", "Hangup&causetxt=a text longer than its column", "Hangup&causetxt=User busy&callUUID=b")) {
                int before = crm.ignored().size();
                assertEquals(200, vtiger(crm, VTIGER + request).status());
                assertTrue(crm.ignored().size() > before, request);
            }
            assertTrue(vtiger(crm, "callstatus=Hangup").body().contains("<Authentication>Failure<"));
        }
    }

    private static Reply vtiger(VtigerStandIn crm, String body) {
        return crm.answer(request("/modules/PBXManager/callbacks/PBXManager.php", FORM, body, Map.of()));
    }
}
