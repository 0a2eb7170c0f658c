package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.asterisk.AmiSettings;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Extension;
import io.callbridge.support.Certificates;
import io.callbridge.support.TestConfig;
import io.smallrye.config.SmallRyeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
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

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "MAIN_EXTENSIONS_101_USER=anna MAIN_EXTENSIONS_FRONT_DESK_USER=clara | main | main/101=anna main/front-desk=clara",
        "MAIN_DEFAULT_USER=anna MAIN_OFFICE_SECRET=secret-2 MAIN_OFFICE_DEFAULT_USER=boris MAIN_OFFICE_EXTENSIONS_101_USER=clara"
                + " | main, main-office | main=anna main-office=boris main-office/101=clara main/102=null",
        "Head_Office.extensions.front_desk.type=phone HEAD_OFFICE_SECRET=secret-2 HEAD_OFFICE_EXTENSIONS_FRONT_DESK_USER=clara"
                + " HEAD_OFFICE_EXTENSIONS_102_USER=boris _SITE_2__SECRET=secret-3"
                + " | Head_Office, main, site.2 | Head_Office/front_desk=clara Head_Office/102=boris"})
    void theEnvironmentAloneConfiguresPbxsAndExtensionsAndMeansWhatAFileCallsSo(String variables, String pbxs, String users) {
        given.clear();
        environment.put("CALLBRIDGE_PBX_MAIN_SECRET", SECRET);
        for (String variable : variables.split(" ")) {
            String[] parts = variable.replace("secret-", SECRET + "-").split("=");
            if (parts[0].contains(".")) {
                given.put("callbridge.pbx." + parts[0], parts[1]);
            } else {
                environment.put("CALLBRIDGE_PBX_" + parts[0], parts[1]);
            }
        }
        Settings settings = start();
        assertEquals(pbxs, String.join(", ", new TreeSet<>(settings.pbxs())));
        for (String user : users.split(" ")) {
            String[] parts = user.split("[/=]");
            Directory directory = settings.directory(parts[0]);
            Extension own = parts.length == 3 ? directory.own(parts[1]) : null;
            assertEquals(parts[parts.length - 1], parts.length == 2 ? directory.defaultUser() : own == null ? "null" : own.user(), user);
        }
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
        configured("crm.bitrix24.");
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
    @CsvSource(delimiter = '|', value = {"crm.active | amocrm | crm.active is 'amocrm'",
        "crm.active | rest,amocrm | crm.active is 'rest,amocrm'",
        "crm.rest.url | https://crm.example/callbridge | crm.rest.url is 'https://crm.example/callbridge'",
        "crm.rest.url | http://localhost:8080/demo-crm | crm.rest.url is 'http://localhost:8080/demo-crm'",
        "pbx.main.secret | sixteen-letters-and-more | pbx is 'demo, main'"})
    void aDemoTellsNothingToAnotherCrmAndHasNoPbxButItsOwn(String key, String value, String refused) {
        given.clear();
        demo("8081", "");
        given.putAll(Map.of("callbridge.crm.amocrm.url", "https://account.amocrm.ru", "callbridge.crm.amocrm.token", "t"));
        given.put("callbridge." + key, value);
        String said = refusal();
        assertTrue(said.startsWith("callbridge." + refused + "; allowed: ") && said.contains("callbridge.demo=true"), said);
        assertFalse(said.contains("sixteen"), said);
    }

    private void demo(String port, String host) {
        environment.put("CALLBRIDGE_DEMO", "true");
        given.putAll(port.isEmpty() ? Map.of() : Map.of("quarkus.http.port", port));
        given.putAll(host.isEmpty() ? Map.of() : Map.of("quarkus.http.host", host));
    }

    @Test
    void whereNoDemoIsAskedForNothingOfItIsThere() {
        given.put("quarkus.profile", "demo");
        assertEquals(Set.of("main"), start().pbxs());
        assertEquals("jdbc:sqlite:data/callbridge.db", start().storeUrl());
    }

    @Test
    void bitrix24IsAskedByAWebhookOrByAnApplication() {
        configured("crm.bitrix24.");
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

    /** All that is needed beside a key. */
    private void configured(String key) {
        if (key.startsWith("pbx.main.ami.")) {
            Map.of("host", "pbx.example", "username", "bridge", "secret", "s3cret", "trunks", "trunk")
                    .forEach((name, value) -> given.put("callbridge.pbx.main.ami." + name, value));
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

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "tcp.tls.key=mine.key | tcp.tls.key | together with callbridge.tcp.tls.certificate",
        "tcp.tls.certificate=gone tcp.tls.key=mine.key | tcp.tls.certificate | a file in PEM that can be read",
        "tcp.tls.certificate=no\0name tcp.tls.key=mine.key | tcp.tls.certificate | a file in PEM that can be read",
        "tcp.tls.certificate=nothing tcp.tls.key=mine.key | tcp.tls.certificate | a file in PEM with certificates",
        "tcp.tls.certificate=mine tcp.tls.key=nothing | tcp.tls.key | a file in PEM with a private key",
        "tcp.tls.certificate=mine tcp.tls.key=mine | tcp.tls.key | a file in PEM with a private key",
        "tcp.tls.certificate=mine tcp.tls.key=other.key | tcp.tls.key | the private key of the first certificate in ",
        "tcp.tls.certificate=mine tcp.tls.key=mine.key tcp.tls.client-ca=nothing | tcp.tls.client-ca | a file in PEM with certificates",
        "tcp.tls.certificate=mine tcp.tls.key=mine.key tcp.tls.client-ca=other | |",
        "tcp.tls.certificate=mine | tcp.tls.certificate | together with callbridge.tcp.tls.key",
        "tcp.tls.client-ca=other | tcp.tls.client-ca | together with callbridge.tcp.tls.certificate",
        "crm.tls-ca=gone | crm.tls-ca | a file in PEM that can be read", "crm.tls-ca=mine | |", "pbx.main.ami.tls=true | |",
        "pbx.main.ami.tls=true pbx.main.ami.tls-ca=gone | pbx.main.ami.tls-ca | a file in PEM that can be read",
        "pbx.main.ami.tls=true pbx.main.ami.tls-ca=mine | |"})
    void certificatesAreReadAtTheStart(String keys, String refused, String allowed, @TempDir Path folder) throws Exception {
        String[] mine = Certificates.in(folder, "mine");
        String[] other = Certificates.in(folder, "other");
        Map<String, String> files = Map.of("mine", mine[0], "mine.key", mine[1], "other", other[0], "other.key", other[1],
                "nothing", Files.writeString(folder.resolve("nothing.pem"), "nothing").toString());
        for (String key : keys.split(" ")) {
            String[] parts = key.split("=");
            configured(parts[0].startsWith("pbx") ? parts[0] : "");
            given.put("callbridge." + parts[0], files.getOrDefault(parts[1], parts[1]));
        }
        if (refused != null) {
            assertRefused(refused, given.get("callbridge." + refused), allowed);
            return;
        }
        assertEquals(keys.startsWith("tcp"), start().tcpTls() != null);
        assertEquals(keys.startsWith("crm"), start().crmTls() != null);
        assertEquals(keys.startsWith("pbx"), start().asterisk("main").map(AmiSettings::tls).isPresent());
    }

    private void assertRefused(String key, String value, String allowed) {
        String said = refusal();
        assertTrue(said.startsWith("callbridge." + key + " is '" + value + "'; allowed: " + allowed), said);
    }

    @Test
    void aPbxMayHaveAnAsteriskAndNoWebhook() {
        configured("pbx.main.ami.");
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
        for (String pbx : List.of("MAIN", "BRANCH_OFFICE")) {
            Map.of("HOST", "pbx.example", "USERNAME", "bridge", "SECRET", "s3cret", "TRUNKS", "trunk", "PLAIN_LOGIN", "true")
                    .forEach((key, value) -> environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_" + key, value));
        }
        assertEquals(Set.of("main", "branch-office"), start().asterisks());
        assertTrue(start().asterisk("branch-office").orElseThrow().plainLogin());
    }

    @Test
    void idsOfSeveralAsterisksHaveAPrefix() {
        configured("pbx.main.ami.");
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
