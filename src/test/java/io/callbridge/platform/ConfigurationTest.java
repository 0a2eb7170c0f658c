package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.asterisk.AmiSettings;
import io.callbridge.domain.Directory;
import io.callbridge.support.Certificates;
import io.callbridge.support.TestConfig;
import io.smallrye.config.SmallRyeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is configured counts, in a file or in the environment; what is mistaken is refused with one line that tells no secret. */
class ConfigurationTest {

    private static final String SECRET = "sixteen-letters-and-more";

    private final Map<String, String> given = new HashMap<>(Map.of("callbridge.pbx.main.secret", SECRET,
            "callbridge.pbx.main.extensions.101.type", "phone"));
    private final Map<String, String> environment = new HashMap<>();

    @Test
    void theEnvironmentAloneConfiguresExtensions() {
        environment.put("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USER", "anna");
        environment.put("CALLBRIDGE_PBX_MAIN_EXTENSIONS_102_USER", "boris");
        environment.put("CALLBRIDGE_PBX_MAIN_EXTENSIONS_102_ID", "71102");
        environment.put("CALLBRIDGE_PBX_MAIN_EXTENSIONS_FRONT_DESK_USER", "clara");
        Directory main = start().directory("main");
        assertEquals("anna", main.own("101").user());
        assertEquals("boris", main.own("102").user());
        assertEquals("102", main.byId("71102").name());
        assertEquals("clara", main.own("front-desk").user());
    }

    @Test
    void theEnvironmentAloneConfiguresAPbx() {
        given.clear();
        environment.put("CALLBRIDGE_PBX_MAIN_SECRET", SECRET);
        environment.put("CALLBRIDGE_PBX_MAIN_DEFAULT_USER", "anna");
        environment.put("CALLBRIDGE_PBX_MAIN_OFFICE_SECRET", SECRET + "-2");
        environment.put("CALLBRIDGE_PBX_MAIN_OFFICE_DEFAULT_USER", "boris");
        environment.put("CALLBRIDGE_PBX_MAIN_OFFICE_EXTENSIONS_101_USER", "clara");
        Settings settings = start();
        assertEquals(Set.of("main", "main-office"), settings.pbxs());
        assertEquals("anna", settings.directory("main").defaultUser());
        assertEquals("boris", settings.directory("main-office").defaultUser());
        assertEquals("clara", settings.directory("main-office").own("101").user());
        assertNull(settings.directory("main").own("101"));
    }

    @Test
    void theEnvironmentMeansWhatAFileCallsSo() {
        given.put("callbridge.pbx.Head_Office.extensions.front_desk.type", "phone");
        environment.put("CALLBRIDGE_PBX_HEAD_OFFICE_SECRET", SECRET + "-2");
        environment.put("CALLBRIDGE_PBX_HEAD_OFFICE_EXTENSIONS_FRONT_DESK_USER", "clara");
        environment.put("CALLBRIDGE_PBX_HEAD_OFFICE_EXTENSIONS_102_USER", "boris");
        environment.put("CALLBRIDGE_PBX__SITE_2__SECRET", SECRET + "-3");
        Settings settings = start();
        assertEquals(Set.of("main", "Head_Office", "site.2"), settings.pbxs());
        assertEquals("clara", settings.directory("Head_Office").own("front_desk").user());
        assertEquals("boris", settings.directory("Head_Office").own("102").user());
    }

    @ParameterizedTest
    @ValueSource(strings = {"CALLBRIDGE_PBX_MAIN_DEFAULT_COUNTRY", "CALLBRIDGE_PBX_MAIN_AMI_SECRETS", "CALLBRIDGE_PBX_MAIN_SECRETS",
            "CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_EXTRA_USER", "CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USR",
            "CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_COUNTRY", "CALLBRIDGE_TCP_PROT", "CALLBRIDGE_PORT",
            "CALLBRIDGE_CALLS_MISSD_DELAY", "CALLBRIDGE_STORE", "CALLBRIDGE_OWN"})
    void aMisspeltVariableIsRefused(String variable) {
        environment.put(variable, "5000");
        assertTrue(refusal().contains("unknown key " + variable), this::refusal);
    }

    @ParameterizedTest
    @CsvSource({"CALLBRIDGE_CALLS_MISSED_DELAY, 3s", "CALLBRIDGE_TCP_PORT, 6400", "CALLBRIDGE_ADMIN_TOKEN, token-of-16-chars",
            "CALLBRIDGE_DEMO_PAUSE_MS, 5", "CALLBRIDGE_OWN_LIST_NAME, x", "CALLBRIDGE_PBX_MAIN_PREFIX, 453",
            "CALLBRIDGE_PORT, tcp://10.0.0.1:80", "CALLBRIDGE_SERVICE_HOST, 10.0.0.1", "CALLBRIDGE_SERVICE_PORT, 80",
            "CALLBRIDGE_WEB_SERVICE_PORT_HTTP, 80", "CALLBRIDGE_WEB_PORT, udp://10.0.0.1:80", "CALLBRIDGE_PORT_80_TCP, tcp://10.0.0.1:80",
            "CALLBRIDGE_PORT_80_TCP_ADDR, 10.0.0.1"})
    void aKnownVariableAndAServiceLinkOfKubernetesAreNot(String variable, String value) {
        environment.put(variable, value);
        assertDoesNotThrow(this::start);
    }

    @ParameterizedTest
    @CsvSource({"callbridge.calls.missd-delay, 3s", "callbridge.telepathy, true", "callbridge.own.list-names, x",
            "callbridge.pbx.main.extensions.101.usr, anna"})
    void aMisspeltKeyIsRefused(String key, String value) {
        given.put(key, value);
        assertTrue(refusal().contains("unknown key " + key), this::refusal);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://anna:do-not@crm.example/x?print=me", "https://anna:do-not@crm.example/?print=me",
            "http://anna:do-not/print?me@crm example/", "anna:do-not@crm.example", "crm.example/;print=me"})
    void anAddressIsShownWithoutItsSecrets(String address) {
        given.put("callbridge.crm.rest.url", address);
        String said = refusal();
        assertTrue(said.contains("callbridge.crm.rest.url is '") && said.contains(address.contains("crm example") ? "crm example"
                : "crm.example"), said);
        assertFalse(said.contains("do-not") || said.contains("print") || said.contains("me@"), said);
    }

    /** Values with a semicolon between, and what is allowed. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "calls.missed-delay | nothing |", "calls.max-talk | nothing |", "calls.forwarded-as-outgoing | nothing ; perhaps |",
        "calls.card-ttl | soon |", "calls.settle-delay | -1s |", "crm.active | nothing ; , |", "demo | yes |",
        "demo.pause-ms | abc ; nothing |", "deliver.parallel | nothing |", "tcp.port | nothing ; 0 ; 65536 ; tcp |",
        "tcp.max-connections | 0 |", "tcp.max-silence-ms | 999 |", "tracing.endpoint | collector:4318 |",
        "tracing.protocol | nothing ; zipkin |", "tracing.ratio | nothing ; 1.1 ; all |", "store.retention | 30s |",
        "log.format | loud |", "log.numbers | loud |", "pbx.main.country | XX1 |", "pbx.main.extensions.101.type | telephone |",
        "pbx.main.ami.host | pbx example ; pbx/x |", "pbx.main.ami.port | 0 ; 65536 ; ami |", "pbx.main.ami.plain-login | yes |",
        "pbx.main.ami.tls | on |", "pbx.main.ami.tls-ca | ca.pem |", "pbx.main.ami.trunks | , |", "pbx.main.ami.did-variable | a-b |",
        "crm.bitrix24.unknown-caller | ask | skip, create",
        "crm.bitrix24.hidden-number | 12 ; none | a number of 3 to 15 digits, skip, nothing",
        "crm.bitrix24.line-number | 1 | false, true", "crm.bitrix24.recordings | copy | link, upload",
        "crm.bitrix24.oauth-url | oauth | an address", "crm.bitrix24.rate | 0 |", "crm.bitrix24.burst | 0 |",
        "crm.bitrix24.url | ftp://portal.example/rest/ | an address",
        "crm.bitrix24.url | https://portal.example/rest | https://<portal>/rest/<user>/<code>",
        "crm.bitrix24.users.anna | anna | the number", "crm.amocrm.url | https://amocrm.ru ; https://www.kommo.com/ |",
        "crm.amocrm.unknown-caller | lead |", "crm.amocrm.pipeline-id | main |", "crm.amocrm.task-hours | 0 |",
        "crm.amocrm.source | nothing |", "crm.amocrm.users.anna | anna |", "crm.hubspot.url | api.hubapi.com |",
        "crm.hubspot.unique-property | Callbridge id |", "crm.hubspot.users.anna | anna@crm.example |",
        "crm.retailcrm.time-zone | +03:00 ; Europe/Moskau |", "crm.retailcrm.hidden-number | none |", "crm.vtiger.time-zone | MSK |"})
    void aValueThatIsNoneIsRefused(String key, String values, String allowed) {
        configured(key);
        assertDoesNotThrow(this::start);
        for (String value : values.replace("nothing", "").split(" ?; ?", -1)) {
            given.put("callbridge." + key, value);
            assertRefused(key, value, allowed == null ? "" : allowed);
        }
    }

    @Test
    void whatACrmDoesNotTakeIsNothingToOneThatIsNotActive() {
        configured("crm.amocrm.");
        given.putAll(Map.of("callbridge.crm.amocrm.task-hours", "0", "callbridge.crm.active", "rest"));
        assertDoesNotThrow(this::start);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pbx.main.ami.username", "pbx.main.ami.secret", "pbx.main.ami.trunks", "crm.rest.url", "crm.amocrm.token",
            "crm.hubspot.token", "crm.retailcrm.key", "crm.vtiger.secret"})
    void aKeyThatIsMissingIsNamed(String key) {
        configured(key);
        given.put("callbridge." + key, "");
        assertTrue(refusal().startsWith("callbridge." + key + " is missing"), this::refusal);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pbx.main.ami.port", "pbx.main.ami.username", "pbx.main.ami.secret", "pbx.main.ami.plain-login",
            "pbx.main.ami.tls", "pbx.main.ami.tls-ca", "pbx.main.ami.trunks", "pbx.main.ami.inbound-contexts", "pbx.main.ami.did-variable",
            "admin.oidc.client-id", "admin.oidc.client-secret", "admin.oidc.users", "admin.oidc.role"})
    void aKeyWithoutWhatItBelongsToIsRefused(String key) {
        given.put("callbridge." + key, "do-not-print-me");
        String address = key.startsWith("pbx") ? "pbx.main.ami.host" : "admin.oidc.url";
        String said = refusal();
        assertTrue(said.startsWith("callbridge." + key + " is set; allowed: together with callbridge." + address), said);
        assertFalse(said.contains("do-not-print-me"), said);
    }

    @ParameterizedTest
    @CsvSource({"deliver.Rest.Token, do-not, unknown key", "mail.PASSWORD, do-not, unknown key", "webhook-secret-2, do-not, unknown key",
            "pbx.main.extensions.101.usr, do-not, unknown key", "crm.rest.bearer, do-not, unknown key", "admin.key, do-not, unknown key",
            "admin.token, do-not-print-me, has 15 characters; allowed are 16 or more",
            "pbx.main.secret, do-not-print-me, has 15 characters; allowed are 16 or more",
            "pbx.main.secret, do-not-print-me-${x}, contains ${...}", "admin.token, do-not-print-me-${x}, contains ${...}",
            "calls.missed-delay, do-not-print-me-${x}, contains ${...}", "pbx.main.ami.username, 'do-not\tprint', '; allowed: '",
            "pbx.main.ami.secret, 'do-not\r\nAction: Originate', is not a text in one line"})
    void aValueThatMayBeASecretIsNotShown(String key, String value, String part) {
        configured(key);
        given.put("callbridge." + key, value);
        String said = refusal();
        assertTrue(said.contains("callbridge." + key) && said.contains(part), said);
        assertFalse(said.contains("do-not") && !key.endsWith("username"), said);
    }

    /** As in a container, where there is nothing but the environment. */
    @Test
    void whatAllCrmsHaveInCommonComesFromTheEnvironmentToo() {
        bitrix24();
        environment.putAll(Map.of("CALLBRIDGE_CRM_BITRIX24_USERS_ANNA", "7", "CALLBRIDGE_CRM_BITRIX24_USERS_102", "8",
                "CALLBRIDGE_CRM_BITRIX24_SEVERAL_ENTITIES", "owner", "CALLBRIDGE_CRM_BITRIX24_MISSED_TASK", "true",
                "CALLBRIDGE_CRM_BITRIX24_LOOKUP_RATE", "3", "CALLBRIDGE_CRM_BITRIX24_RATE", "1"));
        assertEquals(new CrmSettings(1, 45, 3, Map.of("anna", "7", "102", "8"), "owner", true), start().crm("bitrix24"));
    }

    @ParameterizedTest
    @CsvSource({"'', '', http://localhost:8080", "8081, 0.0.0.0, http://localhost:8081", "8082, 127.0.0.1, http://127.0.0.1:8082",
            "8083, ::1, http://[::1]:8083"})
    void aDemoTellsItsCallsToItsOwnCrmFromItsOwnStore(String port, String host, String address) {
        given.clear();
        demo(port, host);
        SmallRyeConfig config = TestConfig.of(given, environment);
        Settings settings = TestConfig.settings(config);
        assertEquals(address + "/demo-crm", config.getValue("callbridge.crm.rest.url", String.class));
        assertEquals("jdbc:sqlite:data/demo.db", settings.storeUrl());
        assertEquals("jdbc:sqlite:data/demo.db", config.getValue("quarkus.datasource.sqlite.jdbc.url", String.class));
        assertEquals(Set.of("demo"), settings.pbxs());
        assertEquals("anna", settings.directory("demo").own("101").user());
        given.put("callbridge.store.url", "jdbc:sqlite:other.db");
        given.put("callbridge.crm.rest.url", address + "/demo-crm");
        assertEquals("jdbc:sqlite:other.db", start().storeUrl());
    }

    @Test
    void aDemoOnAnyPortKnowsWhichOne() {
        demo("0", "");
        SmallRyeConfig config = TestConfig.of(given, environment);
        int port = config.getValue("quarkus.http.port", Integer.class);
        assertTrue(port > 0);
        assertEquals("http://localhost:" + port + "/demo-crm", config.getValue("callbridge.crm.rest.url", String.class));
    }

    @ParameterizedTest
    @CsvSource({"crm.active, amocrm", "crm.active, 'rest,amocrm'", "crm.rest.url, https://crm.example/callbridge",
            "crm.rest.url, http://localhost:8080/demo-crm"})
    void aDemoTellsNothingToAnotherCrm(String key, String value) {
        demo("8081", "");
        given.put("callbridge." + key, value);
        given.put("callbridge.crm.amocrm.url", "https://account.amocrm.ru");
        given.put("callbridge.crm.amocrm.token", "t");
        String said = refusal();
        assertTrue(said.startsWith("callbridge." + key + " is '" + value + "'; allowed: ") && said.contains("callbridge.demo=true"), said);
    }

    @Test
    void aDemoHasNoPbxButItsOwn() {
        demo("8081", "");
        given.put("callbridge.pbx.main.secret", "sixteen-letters-and-more");
        String said = refusal();
        assertTrue(said.startsWith("callbridge.pbx is 'demo, main'; allowed: demo alone") && !said.contains("sixteen"), said);
    }

    private void demo(String port, String host) {
        environment.put("CALLBRIDGE_DEMO", "true");
        Map.of("quarkus.http.port", port, "quarkus.http.host", host).forEach((key, value) -> {
            if (!value.isEmpty()) {
                given.put(key, value);
            }
        });
    }

    @Test
    void whereNoDemoIsAskedForNothingOfItIsThere() {
        given.put("quarkus.profile", "demo");
        assertEquals(Set.of("main"), start().pbxs());
        assertEquals("jdbc:sqlite:data/callbridge.db", start().storeUrl());
    }

    @Test
    void bitrix24IsAskedByAWebhookOrByAnApplication() {
        bitrix24();
        assertEquals(2, start().crm("bitrix24").rate());
        assertEquals(45, start().crm("bitrix24").burst());
        given.put("callbridge.crm.bitrix24.client-id", "local.1");
        String said = refusal();
        assertTrue(said.startsWith("callbridge.crm.bitrix24.url is 'https://portal.example/rest/1/***/'; allowed: https://<portal>/rest,"),
                said);
        assertFalse(said.contains("do-not-print-me"), said);
        given.put("callbridge.crm.bitrix24.url", "https://portal.example/rest/");
        assertTrue(refusal().startsWith("callbridge.crm.bitrix24.client-secret is missing"), this::refusal);
        given.put("callbridge.crm.bitrix24.client-secret", "s");
        assertTrue(refusal().startsWith("callbridge.crm.bitrix24.refresh-token is missing"), this::refusal);
        given.put("callbridge.crm.bitrix24.refresh-token", "t");
        environment.put("CALLBRIDGE_CRM_BITRIX24_HIDDEN_NUMBER", "+70000000000");
        assertDoesNotThrow(this::start);
    }

    private void bitrix24() {
        configured("crm.bitrix24.");
    }

    /** All that is needed beside a key. */
    private void configured(String key) {
        if (key.startsWith("pbx.main.ami.")) {
            asterisk();
        } else if (key.startsWith("crm.") && key.lastIndexOf('.') > 4) {
            String crm = key.split("\\.")[1];
            given.putAll(Map.of("callbridge.crm.active", crm, "callbridge.crm." + crm + ".url", "https://account.crm.example"));
            switch (crm) {
                case "bitrix24" -> given.put("callbridge.crm.bitrix24.url", "https://portal.example/rest/1/do-not-print-me/");
                case "retailcrm" -> given.put("callbridge.crm.retailcrm.key", "do-not-print-me");
                case "vtiger" -> given.put("callbridge.crm.vtiger.secret", "do-not-print-me");
                default -> given.put("callbridge.crm." + crm + ".token", "do-not-print-me");
            }
        }
    }

    @Test
    void certificatesThatCannotBeUsedAreRefused(@TempDir Path folder) throws Exception {
        String[] mine = Certificates.in(folder, "mine");
        String[] other = Certificates.in(folder, "other");
        String nothing = Files.writeString(folder.resolve("nothing.pem"), "nothing").toString();
        given.put("callbridge.tcp.tls.key", mine[1]);
        assertRefused("tcp.tls.key", mine[1], "together with callbridge.tcp.tls.certificate");
        given.put("callbridge.tcp.tls.certificate", mine[0] + "x");
        assertRefused("tcp.tls.certificate", mine[0] + "x", "a file in PEM that can be read");
        given.put("callbridge.tcp.tls.certificate", "no\0name");
        assertRefused("tcp.tls.certificate", "no\0name", "a file in PEM that can be read");
        given.put("callbridge.tcp.tls.certificate", nothing);
        assertRefused("tcp.tls.certificate", nothing, "a file in PEM with certificates");
        given.put("callbridge.tcp.tls.certificate", mine[0]);
        assertNotNull(start().tcpTls());
        for (String wrong : new String[] {nothing, mine[0]}) {
            given.put("callbridge.tcp.tls.key", wrong);
            assertRefused("tcp.tls.key", wrong, "a file in PEM with a private key");
        }
        given.put("callbridge.tcp.tls.key", other[1]);
        assertRefused("tcp.tls.key", other[1], "the private key of the first certificate in " + mine[0]);
        given.put("callbridge.tcp.tls.key", mine[1]);
        given.put("callbridge.tcp.tls.client-ca", nothing);
        assertRefused("tcp.tls.client-ca", nothing, "a file in PEM with certificates");
        given.put("callbridge.tcp.tls.client-ca", other[0]);
        assertNotNull(start().tcpTls());
        given.remove("callbridge.tcp.tls.key");
        assertRefused("tcp.tls.certificate", mine[0], "together with callbridge.tcp.tls.key");
        given.remove("callbridge.tcp.tls.certificate");
        assertRefused("tcp.tls.client-ca", other[0], "together with callbridge.tcp.tls.certificate");
    }

    @Test
    void authoritiesOfTheCrmsComeFromAFileThatIsReadAtTheStart(@TempDir Path folder) throws Exception {
        assertNull(start().crmTls());
        given.put("callbridge.crm.tls-ca", "nothing.pem");
        assertRefused("crm.tls-ca", "nothing.pem", "a file in PEM that can be read");
        given.put("callbridge.crm.tls-ca", Certificates.in(folder, "crm-ca")[0]);
        assertNotNull(start().crmTls());
    }

    private void assertRefused(String key, String value, String allowed) {
        String said = refusal();
        assertTrue(said.startsWith("callbridge." + key + " is '" + value + "'; allowed: " + allowed), said);
    }

    @Test
    void aPbxMayHaveAnAsteriskAndNoWebhook() {
        asterisk();
        given.remove("callbridge.pbx.main.secret");
        given.put("callbridge.pbx.main.ami.trunks", "trunk, sip-* ,,gw");
        given.put("callbridge.pbx.main.ami.inbound-contexts", "from-trunk*");
        AmiSettings ami = start().asterisk("main").orElseThrow();
        assertEquals("bridge@pbx.example:5038", ami.toString());
        assertEquals("s3cret", ami.secret());
        assertNull(ami.tls());
        assertFalse(ami.plainLogin());
        assertTrue(ami.dialplan().trunk("gw") && ami.dialplan().trunk("sip-7") && !ami.dialplan().trunk("101"));
        assertTrue(ami.dialplan().inbound("from-trunk-2") && !ami.dialplan().inbound("internal"));
        assertEquals(Set.of("main"), start().asterisks());
        given.keySet().removeIf(key -> key.contains(".ami."));
        assertTrue(refusal().startsWith("callbridge.pbx.main.secret is missing"), this::refusal);
    }

    @Test
    void theEnvironmentAloneConfiguresAnAsterisk() {
        given.clear();
        for (String pbx : new String[] {"MAIN", "BRANCH_OFFICE"}) {
            environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_HOST", "pbx.example");
            environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_PORT", "5040");
            environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_USERNAME", "bridge");
            environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_SECRET", "s3cret");
            environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_TRUNKS", "trunk");
            environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_PLAIN_LOGIN", "true");
        }
        Settings settings = start();
        assertEquals(Set.of("main", "branch-office"), settings.asterisks());
        assertTrue(settings.asterisk("branch-office").orElseThrow().plainLogin());
    }

    @Test
    void idsOfSeveralAsterisksHaveAPrefix() {
        asterisk();
        assertEquals("", start().asterisk("main").orElseThrow().idPrefix());
        given.put("callbridge.pbx.main.ami.id-prefix", "m:");
        Map.copyOf(given).forEach((key, value) -> given.put(key.replace(".main.ami.", ".branch.ami."), value));
        given.remove("callbridge.pbx.branch.ami.id-prefix");
        assertEquals("m:", start().asterisk("main").orElseThrow().idPrefix());
        assertEquals("branch-", start().asterisk("branch").orElseThrow().idPrefix());
        given.put("callbridge.pbx.main.ami.id-prefix", "a b");
        assertRefused("pbx.main.ami.id-prefix", "a b", "letters, digits, . _ ~ : and -");
    }

    @Test
    void authoritiesOfAnAsteriskAreReadAtTheStart(@TempDir Path folder) throws Exception {
        asterisk();
        given.put("callbridge.pbx.main.ami.tls", "true");
        assertNotNull(start().asterisk("main").orElseThrow().tls());
        given.put("callbridge.pbx.main.ami.tls-ca", "nothing.pem");
        assertRefused("pbx.main.ami.tls-ca", "nothing.pem", "a file in PEM that can be read");
        given.put("callbridge.pbx.main.ami.tls-ca", Certificates.in(folder, "ca")[0]);
        assertNotNull(start().asterisk("main").orElseThrow().tls());
    }

    private void asterisk() {
        given.put("callbridge.pbx.main.ami.host", "pbx.example");
        given.put("callbridge.pbx.main.ami.username", "bridge");
        given.put("callbridge.pbx.main.ami.secret", "s3cret");
        given.put("callbridge.pbx.main.ami.trunks", "trunk");
    }

    @Test
    void aLoginNeedsToKnowWhoMayAdminister() {
        assertTrue(start().login().isEmpty());
        oidc();
        given.put("callbridge.admin.oidc.users", " anna, boris,,anna");
        assertEquals(new LoginSettings(Set.of("anna", "boris"), null, "preferred_username"), start().login().orElseThrow());
        given.put("callbridge.admin.oidc.role", "telephony");
        given.put("callbridge.admin.oidc.users", "");
        given.put("callbridge.admin.oidc.name-claim", "email");
        assertEquals(new LoginSettings(Set.of(), "telephony", "email"), start().login().orElseThrow());
        given.remove("callbridge.admin.oidc.role");
        String said = refusal();
        assertTrue(said.startsWith("callbridge.admin.oidc.users and callbridge.admin.oidc.role are missing"), said);
    }

    @ParameterizedTest
    @CsvSource({"url, id.example, 'callbridge.admin.oidc.url is ''id.example''; allowed: '", "url, ftp://id.example, ftp",
            "url, https://do-not:show@id.example?do-not, ***", "client-id, '', is missing", "client-secret, '', has 0 characters",
            "client-secret, do-not-show-15c, has 15 characters", "name-claim, '', preferred_username"})
    void aKeyOfALoginThatCannotBeUsedIsRefused(String key, String value, String part) {
        oidc();
        given.put("callbridge.admin.oidc.users", "anna");
        given.put("callbridge.admin.oidc." + key, value);
        String said = refusal();
        assertTrue(said.startsWith("callbridge.admin.oidc." + key + " ") && said.contains(part) && !said.contains("do-not"), said);
    }

    private void oidc() {
        given.put("callbridge.admin.oidc.url", "https://id.example/realms/office");
        given.put("callbridge.admin.oidc.client-id", "callbridge");
        given.put("callbridge.admin.oidc.client-secret", SECRET);
    }

    @Test
    void aValueMayNameWhatIsThereAndHoldADollarSign() {
        environment.put("PBX_SECRET", SECRET + "-2");
        given.put("callbridge.pbx.main.secret", "${PBX_SECRET}-$${x}");
        given.put("callbridge.admin.token", "${ADMIN_TOKEN:}");
        assertEquals("main", start().pbxWithSecret(SECRET + "-2-${x}").orElseThrow());
    }

    /** {@code application.properties} is for people: each setting in a line, behind it what it is if nobody says anything. */
    @Test
    void theListOfSettingsTellsTheirDefaults() throws Exception {
        Map<String, String> told = new HashMap<>();
        for (String line : Files.readAllLines(Path.of("application.properties"))) {
            Matcher setting = Pattern.compile("#(callbridge\\.[^=\\s]+)=(\\S*)(?: {2,}\\S.*)?").matcher(line);
            assertTrue(setting.matches() || line.isEmpty() || line.startsWith("# "), line);
            if (setting.matches()) {
                assertNull(told.put(setting.group(1), setting.group(2)), line);
            }
        }
        String packaged = Files.readString(TestConfig.PACKAGED);
        List<String> defaults = packaged.substring(0, packaged.indexOf("# --- other values are for tests only")).lines()
                .filter(line -> line.startsWith("callbridge.")).toList();
        assertFalse(defaults.isEmpty());
        defaults.forEach(line -> assertEquals(line, line.replaceFirst("=.*", "=") + told.get(line.replaceFirst("=.*", ""))));
    }

    @Test
    void aRouteBringsItsKeys() {
        String flow = "- templatedRoute: {routeTemplateRef: deliver-request, parameters: [{value: acme, name: crm}, {name: method, value: get}]}";
        String block = """
                - route:
                    from: {uri: "{{callbridge.own.address}}{{?callbridge.own.other}}"}
                - templatedRoute:
                    parameters:
                      - name: secret
                        value: key
                      - name: crm
                        value: "acme"
                    routeTemplateRef: deliver-request
                """;
        assertEquals(Set.of("crm.acme.token"), KeyCheck.usedBy(flow).collect(Collectors.toSet()));
        assertEquals(Set.of("own.address", "own.other", "crm.acme.key"), KeyCheck.usedBy(block).collect(Collectors.toSet()));
        assertEquals(Set.of(), KeyCheck.usedBy(flow.replace("acme", "vtiger")).collect(Collectors.toSet()));
        assertEquals(Set.of(), KeyCheck.usedBy("- route: [no YAML").collect(Collectors.toSet()));
    }

    /** What a start does with the configuration; the routes use one key of their own. */
    private Settings start() {
        SmallRyeConfig config = TestConfig.of(given, environment);
        KeyCheck.check(config, Set.of("own.list-name"));
        return TestConfig.settings(config);
    }

    private String refusal() {
        String said = assertThrows(StartException.class, this::start).getMessage();
        assertEquals(1, said.lines().count());
        return said;
    }
}
