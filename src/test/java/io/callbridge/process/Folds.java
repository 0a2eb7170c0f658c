package io.callbridge.process;

import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Extension;
import io.callbridge.domain.TestEvent;
import io.callbridge.store.Delivery;
import io.callbridge.store.Effects;
import io.callbridge.store.Journal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Looks at a call without a store. */
final class Folds {

    private static final Directory DIRECTORY = new Directory("main", "453", "sip.pbx.example", null, List.of(
            new Extension("101", Extension.Type.PHONE, "anna", null), new Extension("880", Extension.Type.QUEUE, null, null)),
            number -> number, number -> number, List.of(), null);
    private static final CallSettings SETTINGS = new CallSettings(Duration.ofSeconds(5), Duration.ofMinutes(60),
            Duration.ofSeconds(5), true, false, false, false, Duration.ofMinutes(15), Duration.ofHours(4), Duration.ofMinutes(2));

    private Folds() {
    }

    /** @param deliveries what the outbox has of the call */
    static Fold of(String subject, List<Delivery> deliveries, TestEvent... events) {
        return of(List.of(subject), deliveries, events);
    }

    static Fold of(List<String> subjects, List<Delivery> deliveries, TestEvent... events) {
        List<Journal.Entry> entries = IntStream.range(0, events.length)
                .mapToObj(i -> new Journal.Entry(i + 1, "new", events[i].build(), Map.of(), null)).toList();
        return new Fold(new Effects.Snapshot(null, entries, deliveries), List.of(), DIRECTORY, SETTINGS, subjects);
    }
}
