package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.domain.Directory;
import io.callbridge.domain.Extension;
import io.callbridge.support.Certificates;
import io.callbridge.support.TestConfig;
import io.smallrye.config.SmallRyeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is configured counts, in a file or in the environment; what is mistaken is refused with one line that tells no secret. */
class ConfigurationTest {

    private static final String SECRET = "sixteen-letters-and-more";
    private static final Map<String, String> PHONE = Map.of("callbridge.pbx.main.secret", SECRET,
            "callbridge.pbx.main.extensions.101.type", "phone");
    private static final Map<String, String> FILES = new HashMap<>();

    private final Map<String, String> given = new HashMap<>(PHONE);
    private final Map<String, String> environment = new HashMap<>();

    @BeforeAll
    static void certificates(@TempDir Path folder) throws Exception {
        for (String name : List.of("mine", "other")) {
            String[] files = Certificates.in(folder, name);
            FILES.putAll(Map.of(name + ".pem", files[0], name + ".key", files[1]));
        }
        FILES.put("nothing.pem", Files.writeString(folder.resolve("nothing"), "nothing").toString());
    }

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

    /** Settings that are not taken, and what is said; KEY and VALUE are those of the last one. Secrets have a do-not. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            # misspelt
            CALLS_MISSD_DELAY=5000 ; TCP_PROT=5000 ; PORT=5000 ; STORE=5000 ; OWN=5000 ; PBX_MAIN_DEFAULT_COUNTRY=5000 | unknown key KEY
            PBX_MAIN_AMI_SECRETS=do-not ; PBX_MAIN_SECRETS=do-not ; PBX_MAIN_EXTENSIONS_101_EXTRA_USER=5000 | unknown key KEY
            PBX_MAIN_EXTENSIONS_101_USR=5000 ; PBX_MAIN_EXTENSIONS_101_COUNTRY=5000 | unknown key KEY
            calls.missd-delay=3s ; telepathy=true ; own.list-names=x ; pbx.main.extensions.101.usr=do-not | unknown key KEY
            deliver.Rest.Token=do-not ; mail.PASSWORD=do-not ; webhook-secret-2=do-not ; crm.rest.bearer=do-not | unknown key KEY
            admin.key=do-not | unknown key KEY
            # secrets
            admin.token=do-not-print-me ; pbx.main.secret=do-not-print-me | KEY has 15 characters; allowed are 16 or more
            admin.token=do-not-print-me-${x} ; pbx.main.secret=do-not-print-me-${x} | KEY contains ${...}
            calls.missed-delay=do-not-print-me-${x} | KEY contains ${...}
            `pbx.main.ami.secret=do-not\r\nAction: Originate` | KEY is not a text in one line
            `pbx.main.ami.username=no\tname` | KEY is 'no name'; allowed: a text in one line
            # addresses
            crm.rest.url=ftp://anna:do-not@crm.example/x?do-not=1 ; crm.rest.url=https://anna:do-not@crm.example/?do-not=1 | crm.example
            crm.rest.url=anna:do-not@crm.example ; crm.rest.url=crm.example/;do-not=1 | crm.example
            crm.rest.url=http://anna:do-not/do-not?me@crm example/ | crm example
            crm.bitrix24.client-id=x | callbridge.crm.bitrix24.url is 'https://portal.example/rest/1/***/'; allowed: https://<portal>/rest,
            crm.bitrix24.client-id=x crm.bitrix24.url=https://portal.example/rest/ | callbridge.crm.bitrix24.client-secret is missing
            crm.bitrix24.client-id=x crm.bitrix24.client-secret=do-not crm.bitrix24.url=https://portal.example/rest/ \
            | callbridge.crm.bitrix24.refresh-token is missing
            # what is missing
            pbx.main.ami.username= ; pbx.main.ami.secret= ; pbx.main.ami.trunks= ; crm.rest.url= ; crm.amocrm.token= | KEY is missing
            crm.hubspot.token= ; crm.retailcrm.key= ; crm.vtiger.secret= ; admin.oidc.client-id= ; admin.oidc.client-secret= | KEY is missing
            admin.oidc.users= | callbridge.admin.oidc.users and callbridge.admin.oidc.role are missing
            admin.oidc.url=id.example ; admin.oidc.url=ftp://id.example | KEY is 'VALUE'; allowed:
            admin.oidc.url=https://do-not:show@id.example?do-not | ***
            admin.oidc.client-secret=do-not-show-15c | KEY has 15 characters
            admin.oidc.name-claim= | preferred_username
            # certificates
            tcp.tls.key=mine.key ; tcp.tls.client-ca=other.pem | KEY is 'VALUE'; allowed: together with callbridge.tcp.tls.certificate
            tcp.tls.certificate=mine.pem | KEY is 'VALUE'; allowed: together with callbridge.tcp.tls.key
            tcp.tls.key=mine.key tcp.tls.certificate=gone ; tcp.tls.key=mine.key tcp.tls.certificate=no\0name ; crm.tls-ca=gone \
            ; pbx.main.ami.tls=true pbx.main.ami.tls-ca=gone | KEY is 'VALUE'; allowed: a file in PEM that can be read
            tcp.tls.key=mine.key tcp.tls.certificate=nothing.pem \
            ; tcp.tls.certificate=mine.pem tcp.tls.key=mine.key tcp.tls.client-ca=nothing.pem \
            | KEY is 'VALUE'; allowed: a file in PEM with certificates
            tcp.tls.certificate=mine.pem tcp.tls.key=nothing.pem ; tcp.tls.certificate=mine.pem tcp.tls.key=mine.pem \
            | KEY is 'VALUE'; allowed: a file in PEM with a private key
            tcp.tls.certificate=mine.pem tcp.tls.key=other.key | KEY is 'VALUE'; allowed: the private key of the first certificate in
            # A demo tells nothing to another CRM, and has no PBX but its own.
            DEMO=true crm.active=amocrm ; DEMO=true crm.active=rest,amocrm | KEY is 'VALUE'; allowed:
            DEMO=true crm.rest.url=https://crm.example/callbridge | KEY is 'VALUE'; allowed:
            DEMO=true quarkus.http.port=8081 crm.rest.url=http://localhost:8080/demo-crm | KEY is 'VALUE'; allowed:
            DEMO=true pbx.main.secret=do-not-print-me-16 | callbridge.pbx is 'demo, main'; allowed:
            """)
    void isRefused(String settings, String said) {
        for (String some : settings.split(" ; ")) {
            String[] last = set(some);
            String refusal = refusal();
            assertTrue(refusal.contains(said.replace("KEY", last[0]).replace("VALUE", last[1])), () -> some + ": " + refusal);
            assertTrue(refusal.matches("(unknown key )?callbridge[._].*|CALLBRIDGE_.*|unknown key CALLBRIDGE_.*"), refusal);
            assertFalse(refusal.contains("do-not"), refusal);
            assertTrue(!some.startsWith("DEMO") || refusal.contains("callbridge.demo=true"), refusal);
        }
    }

    /** Also what a CRM does not take that is not active, and the links to services that Kubernetes sets. */
    @ParameterizedTest
    @ValueSource(strings = {"CALLS_MISSED_DELAY=3s", "TCP_PORT=6400", "ADMIN_TOKEN=token-of-16-chars", "DEMO_PAUSE_MS=5", "OWN_LIST_NAME=x",
            "PBX_MAIN_PREFIX=453", "PORT=tcp://10.0.0.1:80", "SERVICE_HOST=10.0.0.1", "SERVICE_PORT=80", "WEB_SERVICE_PORT_HTTP=80",
            "WEB_PORT=udp://10.0.0.1:80", "PORT_80_TCP=tcp://10.0.0.1:80", "PORT_80_TCP_ADDR=10.0.0.1",
            "crm.amocrm.task-hours=0 crm.active=rest", "crm.bitrix24.url=https://portal.example/rest/ crm.bitrix24.client-id=local.1"
                    + " crm.bitrix24.client-secret=s crm.bitrix24.refresh-token=t CRM_BITRIX24_HIDDEN_NUMBER=+70000000000"})
    void isTaken(String settings) {
        set(settings);
        assertDoesNotThrow(this::start);
    }

    /** Values with a semicolon between, and what is allowed. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "calls.missed-delay | nothing |", "calls.max-talk | nothing |", "calls.forwarded-as-outgoing | nothing ; perhaps |",
        "calls.card-ttl | soon |", "calls.settle-delay | -1s |", "crm.active | nothing ; , |", "demo | yes |",
        "demo.pause-ms | abc ; nothing |", "deliver.parallel | nothing |", "tcp.port | 0 ; 65536 ; tcp |",
        "tcp.max-connections | 0 |", "tcp.max-silence-ms | 999 |", "tracing.endpoint | collector:4318 |",
        "tracing.protocol | nothing ; zipkin |", "tracing.ratio | nothing ; 1.1 ; all |", "store.retention | 30s |",
        "log.format | loud |", "log.numbers | loud |", "pbx.main.country | XX1 |",
        "pbx.main.outside-prefix | *9 ; 9.8 ; 12345 | the digits that are dialled for an outside line",
        "pbx.main.extensions.101.type | telephone |",
        "pbx.main.ami.host | pbx example ; pbx/x |", "pbx.main.ami.port | 0 ; 65536 ; ami |", "pbx.main.ami.plain-login | yes |",
        "pbx.main.ami.tls | on |", "pbx.main.ami.tls-ca | ca.pem |", "pbx.main.ami.trunks | , |", "pbx.main.ami.did-variable | a-b |",
        "crm.bitrix24.unknown-caller | ask | skip, create",
        "crm.bitrix24.hidden-number | 12 ; none | a number of 3 to 15 digits, skip, nothing",
        "crm.bitrix24.line-number | 1 | true, false", "crm.bitrix24.recordings | copy | link, upload",
        "crm.bitrix24.oauth-url | oauth | an address", "crm.bitrix24.rate | 0 |", "crm.bitrix24.burst | 0 |",
        "crm.bitrix24.url | ftp://portal.example/rest/ | an address",
        "crm.bitrix24.url | https://portal.example/rest | https://<portal>/rest/<user>/<code>",
        "crm.bitrix24.users.anna | anna | the number", "crm.amocrm.url | https://amocrm.ru ; https://www.kommo.com/ |",
        "crm.amocrm.unknown-caller | lead |", "crm.amocrm.pipeline-id | main |", "crm.amocrm.task-hours | 0 |",
        "crm.amocrm.source | nothing |", "crm.amocrm.users.anna | anna |", "crm.hubspot.url | api.hubapi.com |",
        "crm.hubspot.unique-property | Callbridge id |", "crm.hubspot.users.anna | anna@crm.example |",
        "crm.retailcrm.time-zone | +03:00 ; Europe/Moskau |", "crm.retailcrm.hidden-number | none |", "crm.vtiger.time-zone | MSK |"})
    void aValueThatIsNoneIsRefused(String key, String values, String allowed) {
        neededBeside(key);
        assertDoesNotThrow(this::start);
        for (String value : values.replace("nothing", "").split(" ?; ?", -1)) {
            given.put("callbridge." + key, value);
            assertRefused(key, value, allowed == null ? "" : allowed);
        }
    }

    @ParameterizedTest
    @CsvSource({"pbx.main.ami.port, 1", "pbx.main.ami.username, do-not-print-me", "pbx.main.ami.secret, do-not-print-me",
            "pbx.main.ami.plain-login, false", "pbx.main.ami.tls, false", "pbx.main.ami.tls-ca, do-not-print-me", "pbx.main.ami.trunks, do-not-print-me",
            "pbx.main.ami.inbound-contexts, do-not-print-me", "pbx.main.ami.did-variable, do_not", "admin.oidc.client-id, do-not-print-me",
            "admin.oidc.client-secret, do-not-print-me-16", "admin.oidc.users, do-not-print-me", "admin.oidc.role, do-not-print-me"})
    void aKeyWithoutWhatItBelongsToIsRefused(String key, String value) {
        given.put("callbridge." + key, value);
        String address = key.startsWith("pbx") ? "pbx.main.ami.host" : "admin.oidc.url";
        String said = refusal();
        assertTrue(said.startsWith("callbridge." + key + " is set; allowed: together with callbridge." + address), said);
        assertFalse(said.contains(value.equals("1") ? "'" : value + "'"), said);
    }

    /** Names that have to be in quotes. */
    @ParameterizedTest
    @CsvSource({"pbx.\"site.2\".charset, nope", "pbx.\"site.2\".ami.port, abc", "pbx.\"main\".extensions.101.type, foo", "crm.\"my.crm\".rate, fast",
            "crm.\"my.crm\".missed-task, perhaps"})
    void aValueUnderANameInQuotesIsRefusedToo(String key, String value) {
        given.put("callbridge.crm.active", "my.crm");
        given.put("callbridge." + key, value);
        assertRefused(key, value, "");
    }

    @Test
    void anEmptyRateIsNoneAndAnEmptyUserToo() {
        set("crm.hubspot.rate= crm.hubspot.lookup-rate= crm.hubspot.burst= crm.hubspot.users.anna=");
        assertEquals(new CrmSettings(0, 1, 0, Map.of(), "first", false), start().crm("hubspot"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp=x", "pbx=x", "pbx.main=x", "PBX_MAIN_AMI_SECRETT=x", ".=x", "calls.missd=${nope}"})
    void whatIsNearToNothingIsRefusedAllTheSame(String setting) {
        set(setting);
        assertTrue(refusal().startsWith("unknown key ") && !refusal().contains("nearest"), this::refusal);
        assertThrows(StartException.class, () -> KeyCheck.check(TestConfig.of(given, environment), Set.of()));
    }

    @ParameterizedTest
    @CsvSource({"calls.missd-delay, callbridge.calls.missed-delay", "pbx.main.extensions.101.usr, callbridge.pbx.main.extensions.101.user",
            "TCP_PROT, CALLBRIDGE_TCP_PORT", "crm.rest.tokn, callbridge.crm.rest.token"})
    void whatWasProbablyMeantIsSaid(String key, String nearest) {
        set(key + "=x");
        assertTrue(refusal().contains("; the nearest one is " + nearest + "; allowed: "), this::refusal);
    }

    @Test
    void aSecretThatCamelWouldTakeForTheNameOfASettingIsRefusedAndNotSaid() {
        set("CRM_REST_TOKEN=a{{b}}c");
        assertEquals("callbridge.crm.rest.token has {{ or }} in it; allowed: any text without", refusal());
    }

    /** As in a container, where there is nothing but the environment. */
    @Test
    void whatAllCrmsHaveInCommonComesFromTheEnvironmentToo() {
        set("crm.bitrix24.line-number=true CRM_BITRIX24_USERS_ANNA=7 CRM_BITRIX24_USERS_102=8 CRM_BITRIX24_SEVERAL_ENTITIES=owner"
                + " CRM_BITRIX24_MISSED_TASK=true CRM_BITRIX24_LOOKUP_RATE=3");
        assertEquals(2, start().crm("bitrix24").rate());
        environment.put("CALLBRIDGE_CRM_BITRIX24_RATE", "1");
        assertEquals(new CrmSettings(1, 45, 3, Map.of("anna", "7", "102", "8"), "owner", true), start().crm("bitrix24"));
    }

    @ParameterizedTest
    @CsvSource({"'', '', http://localhost:8080", "8081, 0.0.0.0, http://localhost:8081", "8082, 127.0.0.1, http://127.0.0.1:8082",
            "8083, ::1, http://[::1]:8083"})
    void aDemoTellsItsCallsToItsOwnCrmFromItsOwnStore(String port, String host, String address) {
        set("DEMO=true");
        given.putAll(port.isEmpty() ? Map.of() : Map.of("quarkus.http.port", port, "quarkus.http.host", host));
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
        set("DEMO=true quarkus.http.port=0");
        SmallRyeConfig config = TestConfig.of(given, environment);
        int port = config.getValue("quarkus.http.port", Integer.class);
        assertTrue(port > 0);
        assertEquals("http://localhost:" + port + "/demo-crm", config.getValue("callbridge.crm.rest.url", String.class));
    }

    @Test
    void whereNoDemoIsAskedForNothingOfItIsThere() {
        given.put("quarkus.profile", "demo");
        assertEquals(Set.of("main"), start().pbxs());
        assertEquals("jdbc:sqlite:data/callbridge.db", start().storeUrl());
    }

    /**
     * Makes these the settings, with all that is needed beside the first: {@code key=value}, a variable in capitals.
     *
     * @return key and value of the last
     */
    private String[] set(String settings) {
        given.clear();
        environment.clear();
        given.putAll(settings.startsWith("DEMO=") ? Map.of() : PHONE);
        neededBeside(settings);
        String[] last = {};
        for (String setting : settings.split(" (?=[^ =]+=)")) {
            last = setting.split("=", 2);
            last[1] = FILES.getOrDefault(last[1], last[1]);
            boolean variable = last[0].equals(last[0].toUpperCase(Locale.ROOT));
            last[0] = variable ? "CALLBRIDGE_" + last[0] : last[0].startsWith("quarkus.") ? last[0] : "callbridge." + last[0];
            (variable ? environment : given).put(last[0], last[1]);
        }
        return last;
    }

    private void neededBeside(String key) {
        Map<String, String> needed = Map.of();
        if (key.startsWith("pbx.main.ami.")) {
            needed = Map.of("pbx.main.ami.host", "pbx.example", "pbx.main.ami.username", "bridge", "pbx.main.ami.secret", "s3cret",
                    "pbx.main.ami.trunks", "trunk");
        } else if (key.startsWith("admin.oidc.")) {
            needed = Map.of("admin.oidc.url", "https://id.example/realms/office", "admin.oidc.client-id", "callbridge",
                    "admin.oidc.client-secret", SECRET, "admin.oidc.users", "anna");
        } else if (key.startsWith("DEMO=")) {
            needed = Map.of("crm.amocrm.url", "https://account.amocrm.ru", "crm.amocrm.token", "t");
        } else if (key.matches("crm\\.[a-z0-9]+\\..*")) {
            String crm = key.split("\\.")[1];
            needed = crm.equals("bitrix24")
                    ? Map.of("crm.active", crm, "crm.bitrix24.url", "https://portal.example/rest/1/do-not-print-me/")
                    : Map.of("crm.active", crm, "crm." + crm + ".url", "https://account.crm.example",
                            "crm." + crm + "." + Map.of("retailcrm", "key", "vtiger", "secret").getOrDefault(crm, "token"), "do-not-print-me");
        }
        needed.forEach((name, value) -> given.put("callbridge." + name, value));
    }

    @Test
    void certificatesAreReadAtTheStart() {
        set("tcp.tls.certificate=mine.pem tcp.tls.key=mine.key tcp.tls.client-ca=other.pem");
        assertTrue(start().tcpTls() != null && start().crmTls() == null);
        set("crm.tls-ca=mine.pem");
        assertTrue(start().tcpTls() == null && start().crmTls() != null);
        for (String settings : List.of("pbx.main.ami.tls=true", "pbx.main.ami.tls=true pbx.main.ami.tls-ca=mine.pem")) {
            set(settings);
            assertTrue(start().crmTls() == null && start().asterisk("main").map(AmiSettings::tls).isPresent(), settings);
        }
    }

    private void assertRefused(String key, String value, String allowed) {
        String said = refusal();
        assertTrue(said.startsWith("callbridge." + key + " is '" + value + "'; allowed: " + allowed), said);
    }

    @Test
    void aPbxMayHaveAnAsteriskAndNoWebhook() {
        neededBeside("pbx.main.ami.");
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
    void theEnvironmentAloneConfiguresAsterisksAndIdsOfSeveralHaveAPrefix() {
        given.clear();
        for (String pbx : List.of("MAIN", "BRANCH_OFFICE")) {
            assertEquals("", environment.isEmpty() ? "" : start().asterisk("main").orElseThrow().idPrefix(), "the only one");
            Map.of("HOST", "pbx.example", "USERNAME", "bridge", "SECRET", "s3cret", "TRUNKS", "trunk", "PLAIN_LOGIN", "true")
                    .forEach((key, value) -> environment.put("CALLBRIDGE_PBX_" + pbx + "_AMI_" + key, value));
        }
        assertEquals(Set.of("main", "branch-office"), start().asterisks());
        given.put("callbridge.pbx.main.ami.id-prefix", "m:");
        assertEquals("m:", start().asterisk("main").orElseThrow().idPrefix());
        AmiSettings branch = start().asterisk("branch-office").orElseThrow();
        assertTrue(branch.plainLogin());
        assertEquals("branch-office-", branch.idPrefix());
        given.put("callbridge.pbx.main.ami.id-prefix", "a b");
        assertRefused("pbx.main.ami.id-prefix", "a b", "letters, digits, . _ ~ : and -");
    }

    @Test
    void aLoginNeedsToKnowWhoMayAdminister() {
        assertTrue(start().login().isEmpty());
        set("admin.oidc.users= anna, boris,,anna");
        assertEquals(new LoginSettings(Set.of("anna", "boris"), null, "preferred_username"), start().login().orElseThrow());
        set("admin.oidc.role=telephony admin.oidc.users= admin.oidc.name-claim=email");
        assertEquals(new LoginSettings(Set.of(), "telephony", "email"), start().login().orElseThrow());
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
        Map<String, String> defaults = new HashMap<>(Keys.defaults());
        Keys.INTERNAL.forEach(key -> assertTrue(defaults.remove("callbridge." + key.name()) != null && !told.containsKey("callbridge." + key.name()),
                key::name));
        assertFalse(defaults.isEmpty());
        defaults.forEach((key, value) -> assertEquals(value, told.get(key), key));
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
        KeyCheck.check(config, Set.of("{{callbridge.own.list-name}}"));
        return TestConfig.settings(config);
    }

    private String refusal() {
        String said = assertThrows(StartException.class, this::start).getMessage();
        assertEquals(1, said.lines().count());
        return said;
    }
}
