package io.callbridge.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DemoCallsTest {

    @Test
    void aCallHasPeopleWhoAreFreeAndIdsOfItsOwn() {
        DemoCalls calls = new DemoCalls();
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            Set<String> busy = Set.of("101", "102", "+79000000010");
            DemoCalls.Call call = calls.next(busy).orElseThrow();
            assertTrue(call.parties().stream().noneMatch(busy::contains), () -> call.parties().toString());
            assertTrue(ids.add(call.events().get(0).fields().get("CallID")));
            assertEquals(1, call.events().stream().map(event -> event.fields().get("CallID")).distinct().count());
            assertFalse(call.toString().contains("{phone"), call::toString);
            assertEquals(call.events().stream().sorted(Comparator.comparing(DemoCalls.Event::at)).toList(), call.events());
        }
        assertEquals(List.of(Optional.empty()), List.of(calls.next(Set.of("101", "102", "103", "104", "105", "111"))));
    }
}
