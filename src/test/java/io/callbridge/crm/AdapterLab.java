package io.callbridge.crm;

import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.support.FakeCrm;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * A CRM of one kind with the employees of {@code ExamplePbx} and the two people of the scenario files in it, and how what the REST
 * contract says looks there.
 *
 * @param settings what the bridge needs to use it
 * @param shows the effects that it shows a person
 * @param statuses its words for {@link #RESULTS}
 */
public record AdapterLab(String crm, StandIn standIn, Supplier<List<CrmEffect>> effects, Map<String, String> settings, Set<Kind> shows,
        List<String> statuses) implements AutoCloseable {

    private static final List<String> EMPLOYEES = List.of("anna", "boris", "clara", "dmitri", "elena", "fyodor");
    private static final List<String> EXTENSIONS = List.of("101", "102", "103", "104", "105", "111");
    /** Of contract section 3, as far as scenarios have them; a missed call is none. */
    private static final List<String> RESULTS = List.of("answered", "no-answer", "missed");
    private static final String HIDDEN = "70000000000";

    public static List<AdapterLab> all() {
        return List.of(bitrix24(), amocrm(), retailcrm(), hubspot(), vtiger());
    }

    private static AdapterLab of(String crm, StandIn standIn, Supplier<List<CrmEffect>> effects, Map<String, String> settings,
            Set<Kind> shows, String... statuses) {
        Map<String, String> all = new HashMap<>();
        settings.forEach((key, value) -> all.put("callbridge.crm." + crm + "." + key, value));
        EMPLOYEES.forEach(name -> all.put("callbridge.crm." + crm + ".users." + name, userOf(name)));
        return new AdapterLab(crm, standIn, effects, all, shows, List.of(statuses));
    }

    private static AdapterLab bitrix24() {
        Bitrix24StandIn crm = new Bitrix24StandIn();
        crm.bucket(100_000, 10_000);
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(1001 + i, EXTENSIONS.get(i), true);
        }
        crm.contact(FakeCrm.IVANOV, 1, "Ivanov", 1001);
        crm.contact(FakeCrm.PETROVA, 2, "Petrova", 1002);
        return of("bitrix24", crm, crm::effects, Map.of("url", crm.webhookUrl(), "rate", "1000", "burst", "1000", "hidden-number", HIDDEN),
                Set.of(Kind.values()), "200", "304", "304");
    }

    private static AdapterLab amocrm() {
        AmoCrmStandIn crm = new AmoCrmStandIn();
        crm.limit.most(10_000);
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(1001 + i);
        }
        crm.contact(FakeCrm.IVANOV, 1, "Ivanov", 1001);
        crm.contact(FakeCrm.PETROVA, 2, "Petrova", 1002);
        return of("amocrm", crm, crm::effects,
                Map.of("url", crm.origin(), "token", AmoCrmStandIn.TOKEN, "rate", "1000", "unknown-caller", "create-contact"),
                Set.of(Kind.CARD, Kind.CALL, Kind.MISSED), "4", "6", "6");
    }

    private static AdapterLab retailcrm() {
        RetailCrmStandIn crm = new RetailCrmStandIn();
        crm.limit.most(10_000);
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(1001 + i, EXTENSIONS.get(i));
        }
        crm.customer(1, "Ivanov", "", 1001, FakeCrm.IVANOV);
        crm.customer(2, "Petrova", "", 1002, FakeCrm.PETROVA);
        return of("retailcrm", crm, crm::effects, Map.of("url", crm.origin() + "/api/v5", "key", RetailCrmStandIn.KEY, "rate", "1000"),
                Set.of(Kind.CARD, Kind.CARD_END, Kind.CALL, Kind.MISSED), "answered", "no answer", "no answer");
    }

    private static AdapterLab hubspot() {
        HubSpotStandIn crm = new HubSpotStandIn();
        crm.rolling.most(100_000);
        crm.searches.most(10_000);
        EMPLOYEES.forEach(name -> crm.owner(userOf(name)));
        crm.contact("1", Map.of("phone", FakeCrm.IVANOV, "lastname", "Ivanov", "hubspot_owner_id", "1001"));
        crm.contact("2", Map.of("phone", FakeCrm.PETROVA, "lastname", "Petrova", "hubspot_owner_id", "1002"));
        return of("hubspot", crm, crm::effects,
                Map.of("url", crm.origin(), "token", HubSpotStandIn.TOKEN, "rate", "1000", "lookup-rate", "1000"),
                Set.of(Kind.CALL, Kind.MISSED), "COMPLETED", "NO_ANSWER", "NO_ANSWER");
    }

    private static AdapterLab vtiger() {
        VtigerStandIn crm = new VtigerStandIn();
        for (int i = 0; i < EMPLOYEES.size(); i++) {
            crm.user(userOf(EMPLOYEES.get(i)), EXTENSIONS.get(i));
        }
        return of("vtiger", crm, crm::effects, Map.of("url", crm.origin(), "secret", VtigerStandIn.SIGNATURE),
                Set.of(Kind.CALL, Kind.MISSED), "completed", "no-answer", "no-answer");
    }

    /** From now on one answer in three is lost. Not each third one: an effect of three requests would never get them all. */
    public void loseAnswers() {
        standIn.lose(Integer.MAX_VALUE, request -> ThreadLocalRandom.current().nextInt(3) == 0);
    }

    public void behave() {
        standIn.behave();
    }

    /** As the CRMs number him. */
    static String userOf(String employee) {
        return employee.isEmpty() ? "" : Integer.toString(1001 + EMPLOYEES.indexOf(employee));
    }

    /** The employee whose card it is: RetailCRM is told his extension. */
    static String cardOf(CrmEffect effect) {
        int extension = EXTENSIONS.indexOf(effect.user());
        return extension < 0 ? effect.user() : userOf(EMPLOYEES.get(extension));
    }

    /** amoCRM and RetailCRM show no card without a number. */
    boolean showsCardOf(String number) {
        return shows.contains(Kind.CARD) && !(number.isEmpty() && List.of("amocrm", "retailcrm").contains(crm));
    }

    /** How the party stands there: some must be given a number for who hides his, Bitrix24 also for what is none of any country. */
    String party(String number) {
        return switch (crm) {
            case "bitrix24" -> number.startsWith("+") ? CrmEffect.digits(number) : HIDDEN;
            case "retailcrm" -> number.isEmpty() ? "0" : CrmEffect.digits(number);
            default -> CrmEffect.digits(number);
        };
    }

    String status(String result) {
        return statuses.get(RESULTS.indexOf(result));
    }

    @Override
    public void close() {
        standIn.close();
    }
}
