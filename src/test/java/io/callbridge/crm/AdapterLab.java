package io.callbridge.crm;

import io.callbridge.support.FakeCrm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * A CRM of one kind with the employees of {@code ExamplePbx} and the two people of the scenario files in it, and how what the REST
 * contract says looks there.
 */
public final class AdapterLab implements AutoCloseable {

    private static final List<String> EMPLOYEES = List.of("anna", "boris", "clara", "dmitri", "elena", "fyodor");
    private static final List<String> EXTENSIONS = List.of("101", "102", "103", "104", "105", "111");

    private static final String HIDDEN = "70000000000";

    private final String crm;
    private final StandIn standIn;
    private final Supplier<List<CrmEffect>> effects;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Map<String, String> statuses;
    private final Set<CrmEffect.Kind> kinds;

    private AdapterLab(String crm, StandIn standIn, Supplier<List<CrmEffect>> effects, Map<String, String> settings,
            Map<String, String> statuses, Set<CrmEffect.Kind> kinds) {
        this.crm = crm;
        this.standIn = standIn;
        this.effects = effects;
        this.statuses = statuses;
        this.kinds = kinds;
        settings.forEach((key, value) -> this.settings.put("callbridge.crm." + crm + "." + key, value));
        EMPLOYEES.forEach(name -> this.settings.put("callbridge.crm." + crm + ".users." + name, userOf(name)));
    }

    /** As this CRM numbers them. */
    static String userOf(String employee) {
        return Integer.toString(1001 + EMPLOYEES.indexOf(employee));
    }

    public static List<AdapterLab> all() {
        return List.of(bitrix24(), amocrm(), retailcrm(), hubspot(), vtiger());
    }

    private static AdapterLab bitrix24() {
        Bitrix24StandIn crm = new Bitrix24StandIn();
        crm.bucket(100_000, 10_000);
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(1001 + i, EXTENSIONS.get(i), true);
        }
        crm.contact(FakeCrm.IVANOV, 1, "Ivanov", 1001);
        crm.contact(FakeCrm.PETROVA, 2, "Petrova", 1002);
        return new AdapterLab("bitrix24", crm, crm::effects, Map.of("url", crm.webhookUrl(), "rate", "1000", "burst", "1000",
                "hidden-number", HIDDEN),
                Map.of("answered", "200", "busy", "486", "no-answer", "304", "cancelled", "603-S", "failed", "503", "missed", "304"),
                Set.of(CrmEffect.Kind.values()));
    }

    private static AdapterLab amocrm() {
        AmoCrmStandIn crm = new AmoCrmStandIn();
        crm.limit(10_000);
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(1001 + i, EMPLOYEES.get(i), EMPLOYEES.get(i) + "@crm.example");
        }
        crm.contact(FakeCrm.IVANOV, 1, "Ivanov", 1001);
        crm.contact(FakeCrm.PETROVA, 2, "Petrova", 1002);
        return new AdapterLab("amocrm", crm, crm::effects, Map.of("url", crm.origin(), "token", AmoCrmStandIn.TOKEN, "rate", "1000",
                "unknown-caller", "create-contact"), Map.of("answered", "4", "busy", "7", "no-answer", "6", "cancelled", "6", "failed", "3", "missed", "6"), Set.of(CrmEffect.Kind.CARD, CrmEffect.Kind.CALL, CrmEffect.Kind.MISSED));
    }

    private static AdapterLab retailcrm() {
        RetailCrmStandIn crm = new RetailCrmStandIn();
        crm.limit(10_000);
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(1001 + i, EXTENSIONS.get(i), EMPLOYEES.get(i), "", EMPLOYEES.get(i) + "@crm.example");
        }
        crm.customer(1, "Ivanov", "", 1001, FakeCrm.IVANOV);
        crm.customer(2, "Petrova", "", 1002, FakeCrm.PETROVA);
        return new AdapterLab("retailcrm", crm, crm::effects, Map.of("url", crm.origin() + "/api/v5", "key", RetailCrmStandIn.KEY, "rate", "1000"),
                Map.of("answered", "answered", "busy", "busy", "no-answer", "no answer", "cancelled", "failed", "failed", "failed", "missed", "no answer"), Set.of(CrmEffect.Kind.CARD, CrmEffect.Kind.CARD_END, CrmEffect.Kind.CALL, CrmEffect.Kind.MISSED));
    }

    private static AdapterLab hubspot() {
        HubSpotStandIn crm = new HubSpotStandIn();
        crm.limit(100_000);
        crm.searchLimit(10_000);
        crm.unique("calls", "callbridge_id");
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.owner(userOf(EMPLOYEES.get(i)), EMPLOYEES.get(i) + "@crm.example", 2001 + i);
        }
        crm.contact("1", Map.of("phone", FakeCrm.IVANOV, "lastname", "Ivanov", "hubspot_owner_id", "1001"));
        crm.contact("2", Map.of("phone", FakeCrm.PETROVA, "lastname", "Petrova", "hubspot_owner_id", "1002"));
        return new AdapterLab("hubspot", crm, crm::effects, Map.of("url", crm.origin(), "token", HubSpotStandIn.TOKEN, "rate", "1000",
                "lookup-rate", "1000"), Map.of("answered", "COMPLETED", "busy", "BUSY", "no-answer", "NO_ANSWER", "cancelled", "CANCELED",
                "failed", "FAILED", "missed", "NO_ANSWER"), Set.of(CrmEffect.Kind.CALL, CrmEffect.Kind.MISSED));
    }

    private static AdapterLab vtiger() {
        VtigerStandIn crm = new VtigerStandIn();
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(userOf(EMPLOYEES.get(i)), EXTENSIONS.get(i));
        }
        return new AdapterLab("vtiger", crm, crm::effects, Map.of("url", crm.origin(), "secret", VtigerStandIn.SIGNATURE),
                Map.of("answered", "completed", "busy", "busy", "no-answer", "no-answer", "cancelled", "cancelled", "failed", "failed", "missed", "no-answer"), Set.of(CrmEffect.Kind.CALL, CrmEffect.Kind.MISSED));
    }

    public String crm() {
        return crm;
    }

    StandIn standIn() {
        return standIn;
    }

    /** What the bridge needs to use it. */
    public Map<String, String> settings() {
        return settings;
    }

    /** From now on one answer in three is lost. Not each third one: an effect of three requests would never get them all. */
    public void loseAnswers() {
        standIn.lose(Integer.MAX_VALUE, request -> ThreadLocalRandom.current().nextInt(3) == 0);
    }

    public void behave() {
        standIn.behave();
    }

    boolean shows(CrmEffect.Kind kind) {
        return kinds.contains(kind);
    }


    /** amoCRM and RetailCRM show no card without a number. */
    boolean showsCardOf(String number) {
        return shows(CrmEffect.Kind.CARD) && !(List.of("amocrm", "retailcrm").contains(crm) && number.isEmpty());
    }

    /** How the party stands there: some must be given a number for who hides his, Bitrix24 also for what is none of any country. */
    String party(String number) {
        return switch (crm) {
            case "bitrix24" -> number.startsWith("+") ? CrmEffect.digits(number) : HIDDEN;
            case "retailcrm" -> number.isEmpty() ? "0" : CrmEffect.digits(number);
            default -> CrmEffect.digits(number);
        };
    }

    /** amoCRM keeps a call without a number as an incoming lead, which has neither an employee nor a result. */
    boolean isLead(String number) {
        return number.isEmpty() && crm.equals("amocrm");
    }

    /** Its cards know which leg they are of. */
    boolean namesCards() {
        return !crm.equals("amocrm");
    }

    /** Its records have the leg's id: vtiger keeps the first talk of a call under the id of the call. */
    boolean namesLegs() {
        return !crm.equals("vtiger");
    }

    /** vtiger knows who answered, and nobody else. */
    boolean knowsWhoMissed() {
        return !crm.equals("vtiger");
    }

    /** Leg or call: what is a missed call in front of it is one by its result. */
    static String idOf(CrmEffect effect) {
        return effect.id().replaceFirst("^missed-", "");
    }

    /** The employee whose card it is: RetailCRM is told his extension. */
    static String cardOf(CrmEffect effect) {
        int extension = EXTENSIONS.indexOf(effect.user());
        return extension < 0 ? effect.user() : userOf(EMPLOYEES.get(extension));
    }

    /** The CRM's word for a result of contract section 3. */
    String status(String result) {
        return statuses.get(result);
    }

    List<CrmEffect> effects() {
        return effects.get();
    }

    @Override
    public void close() {
        standIn.close();
    }
}
