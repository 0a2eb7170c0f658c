package io.callbridge.demo;

import io.callbridge.demo.ScriptedCall.Leg;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The calls that the demo PBX plays, one script for each thing the bridge has to tell apart. All are played once before
 * one is played again.
 */
final class CallScripts {

    /** A call with its parties: no other call may have them before it has ended. */
    record Play(ScriptedCall call, Set<String> parties) {
    }

    /** Writes one call. */
    private interface Author {
        ScriptedCall write(List<String> phones, String outside, String did);
    }

    /** @param hiddenToo whether the outside party may be a caller who hides the number */
    private record Script(int phones, boolean hiddenToo, Author author) {
    }

    private static final String MENU = "099";
    private static final String SALES = "880";
    private static final String SUPPORT = "881";
    private static final String UNMAPPED_PHONE = "120";
    private static final String HIDDEN = "";
    private static final String MOBILE = "+79000000901";
    private static final List<String> DIDS = List.of("74950000001", "74950000002");

    private final Random random;
    private final List<Script> deck = new ArrayList<>();

    CallScripts(Random random) {
        this.random = random;
        // The first round as written here, for those who have just opened the page; later rounds are shuffled.
        deck.addAll(scripts());
    }

    /** A call for which enough employees are free, or nothing for now. */
    Optional<Play> next(Collection<String> busy) {
        List<String> free = DemoPeople.EMPLOYEES.stream().map(DemoPeople.Employee::extension)
                .filter(extension -> !busy.contains(extension)).collect(Collectors.toCollection(ArrayList::new));
        Collections.shuffle(free, random);
        if (deck.isEmpty()) {
            deck.addAll(scripts());
            Collections.shuffle(deck, random);
        }
        // A script that needs many phones stays in the deck until they are free, and the next round waits for it.
        Optional<Script> script = deck.stream().filter(one -> one.phones <= free.size()).findFirst();
        script.ifPresent(deck::remove);
        return script.map(one -> play(one, free.subList(0, one.phones), busy));
    }

    private Play play(Script script, List<String> phones, Collection<String> busy) {
        String outside = outsideParty(script.hiddenToo, busy);
        ScriptedCall call = script.author.write(phones, outside, DIDS.get(random.nextInt(DIDS.size())));
        Stream<String> number = outside.equals(HIDDEN) ? Stream.empty() : Stream.of(outside);
        return new Play(call, Stream.concat(phones.stream(), number).collect(Collectors.toSet()));
    }

    /** Mostly somebody the CRM knows, sometimes a stranger, now and then nobody to be seen. */
    private String outsideParty(boolean hiddenToo, Collection<String> busy) {
        int dice = random.nextInt(10);
        if (dice == 0 && hiddenToo) {
            return HIDDEN;
        }
        List<String> known = DemoPeople.CONTACTS.stream().map(DemoPeople.Contact::number)
                .filter(number -> !busy.contains(number)).toList();
        if (dice <= 2 || known.isEmpty()) {
            return "+79000000" + (500 + random.nextInt(100));
        }
        return known.get(random.nextInt(known.size()));
    }

    private List<Script> scripts() {
        return List.of(
                new Script(4, true, this::severalPhonesRing),
                new Script(1, false, this::outgoing),
                new Script(1, true, this::missedAtPhone),
                new Script(2, true, this::queue),
                new Script(2, false, this::localCall),
                new Script(2, false, this::attendedTransfer),
                new Script(2, true, this::missedInQueue),
                new Script(1, false, this::outgoingBusy),
                new Script(1, true, this::forwardedToMobile),
                new Script(1, true, this::servedAfterAll));
    }

    /** The menu rings several phones, one of them unmapped; one answers, and the cards of the others go. */
    private ScriptedCall severalPhonesRing(List<String> phones, String caller, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        long answered = ring();
        long ended = answered + talk();
        List<Leg> legs = new ArrayList<>();
        Stream.concat(phones.stream(), Stream.of(UNMAPPED_PHONE)).forEach(phone ->
                legs.add(call.incoming(phone, caller, MENU).ring(10L * legs.size())));
        legs.get(0).answer(answered).hangup(ended);
        for (int i = 1; i < legs.size(); i++) {
            legs.get(i).hangup(answered + 50 + 10L * i, "CANCEL");
        }
        call.container(MENU, caller).hangup(ended + 90, true);
        return call;
    }

    /** Menu, queue, a phone that stays silent, a second one that answers. */
    private ScriptedCall queue(List<String> phones, String caller, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        long queued = 1200;
        long second = queued + ring();
        long answered = second + ring();
        long ended = answered + talk();
        Leg menu = call.container(MENU, caller).ring(0);
        call.incoming(phones.get(0), caller, SALES).ring(queued).hangup(second - 100, "NOANSWER");
        call.incoming(phones.get(1), caller, SALES).ring(second).answer(answered).hangup(ended);
        call.container(SALES, caller).hangup(ended + 60, true);
        menu.hangup(ended + 120, true);
        return call;
    }

    /** Menu, queue, two phones ring, the caller gives up: one missed call, in the queue. */
    private ScriptedCall missedInQueue(List<String> phones, String caller, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        long queued = 1200;
        long second = queued + ring();
        long gaveUp = second + ring();
        Leg menu = call.container(MENU, caller).ring(0);
        call.incoming(phones.get(0), caller, SUPPORT).ring(queued).hangup(second - 100, "NOANSWER");
        call.incoming(phones.get(1), caller, SUPPORT).ring(second).hangup(gaveUp, "CANCEL");
        call.container(SUPPORT, caller).hangup(gaveUp + 40, false);
        menu.hangup(gaveUp + 340, false);
        return call;
    }

    /** The first queue gives up long enough for a missed call, the second one finds somebody: served after all. */
    private ScriptedCall servedAfterAll(List<String> phones, String caller, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        long gaveUp = ring();
        long secondQueue = gaveUp + 8000;
        long answered = secondQueue + ring();
        long ended = answered + talk();
        call.incoming(phones.get(0), caller, SALES).ring(0).hangup(gaveUp, "NOANSWER");
        call.container(SALES, caller).hangup(gaveUp + 40, false);
        call.incoming(phones.get(0), caller, SUPPORT).ring(secondQueue).answer(answered).hangup(ended);
        call.container(SUPPORT, caller).hangup(ended + 60, true);
        return call;
    }

    /** Straight to a phone, nobody there: one missed call. */
    private ScriptedCall missedAtPhone(List<String> phones, String caller, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        call.incoming(phones.get(0), caller).ring(0).hangup(ring(), "CANCEL");
        return call;
    }

    /** Phone to phone: the CRM must see nothing. */
    private ScriptedCall localCall(List<String> phones, String nobody, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        String from = phones.get(0);
        String to = phones.get(1);
        long answered = ring();
        long ended = answered + talk();
        call.toPhone(from, to).ring(0).answer(answered).hangup(ended);
        call.fromPhone(to, from).with("CallerExtension", ScriptedCall.PREFIX + from + ScriptedCall.DOMAIN)
                .ring(100).answer(answered + 50).hangup(ended + 50);
        return call;
    }

    /** The first employee asks a second one and hands the caller over; both have talked to the caller. */
    private ScriptedCall attendedTransfer(List<String> phones, String caller, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        String first = phones.get(0);
        String second = phones.get(1);
        long answered = ring();
        long asks = answered + talk() / 2;
        long secondAnswers = asks + 2500;
        long handsOver = secondAnswers + 3000;
        long ended = handsOver + talk();
        Leg menu = call.container(MENU, caller).ring(0);
        Leg callersLeg = call.incoming(first, caller, MENU).ring(600).answer(600 + answered);
        call.toPhone(first, second).ring(600 + asks).answer(600 + secondAnswers).hangup(600 + handsOver);
        Leg secondLeg = call.fromPhone(second, first).with("RemoteNumber", caller)
                .ring(700 + asks).answer(600 + secondAnswers);
        callersLeg.hangup(800 + handsOver);
        secondLeg.hangup(600 + ended);
        menu.hangup(700 + ended, true);
        return call;
    }

    private ScriptedCall outgoing(List<String> phones, String number, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        long answered = ring();
        call.outgoing(phones.get(0), dialled(number)).ring(0).answer(answered).hangup(answered + talk());
        return call;
    }

    private ScriptedCall outgoingBusy(List<String> phones, String number, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        call.outgoing(phones.get(0), dialled(number)).ring(0).hangup(ring(), "BUSY");
        return call;
    }

    /** Nobody at the desk: a rule of the extension forwards to a mobile, where the call is answered. */
    private ScriptedCall forwardedToMobile(List<String> phones, String caller, String did) {
        ScriptedCall call = new ScriptedCall(random, did);
        String phone = phones.get(0);
        long forwarded = ring();
        long answered = forwarded + ring();
        long ended = answered + talk();
        call.incoming(phone, caller, MENU).ring(0).hangup(forwarded - 100, "NOANSWER");
        call.outgoing(phone, MOBILE).with("Transfered", "yes").ring(forwarded).answer(answered).hangup(ended);
        call.container(MENU, caller).hangup(ended + 100, true);
        return call;
    }

    /** People dial the national form as often as the international one. */
    private String dialled(String number) {
        return random.nextBoolean() ? number : "8" + number.substring(2);
    }

    private long ring() {
        return 2000 + random.nextInt(4000);
    }

    private long talk() {
        return 5000 + random.nextInt(10_000);
    }
}
