package io.callbridge;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.ConsoleBrowser;
import io.callbridge.support.RawHttp;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What somebody sees who has just started it by the first command of the README, on a port of his own. */
class DemoIT {

    private static final Duration SOON = Duration.ofSeconds(90);

    private static BridgeProcess demo;

    @BeforeAll
    static void start() {
        demo = BridgeProcess.builder().bare().setting("callbridge.demo", "true").setting("callbridge.demo.pause-ms", "100").start();
    }

    @AfterAll
    static void stop() {
        if (demo != null) {
            demo.close();
        }
    }

    @Test
    void itSaysWhereItIsAndTellsItsOwnCrm() {
        String address = "http://127.0.0.1:" + demo.port();
        await().atMost(SOON).until(() -> demo.output().contains("This is a demo"));
        String end = demo.output().replaceFirst("(?s).*This is a demo", "");
        assertTrue(end.contains("open " + address + "/") && !end.contains(" route ") && !end.contains("Installed features"), demo::tail);
        assertTimeoutPreemptively(SOON, () -> {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(URI.create(address + "/demo/events").toURL().openStream(),
                    StandardCharsets.UTF_8))) {
                assertTrue(lines.lines().anyMatch("event: card"::equals), "the demo CRM is told of no call");
            }
        });
    }

    @Test
    void itAsksNobodyWhoHeIs() {
        assertEquals(200, ask("GET /api/calls", "Host: callbridge.example\r\nX-Forwarded-For: 192.0.2.1").status());
        assertEquals(200, ask("GET /", "Host: callbridge.example").status());
        RawHttp.Answer refused = ask("GET /api/calls", "Host: 127.0.0.1\r\nOrigin: http://evil.example");
        assertEquals(403, refused.status());
        assertTrue(refused.text().startsWith("This user may not"), refused::toString);
        assertFalse(demo.output().contains("#token="), demo::output);
    }

    private static RawHttp.Answer ask(String line, String headers) {
        return RawHttp.send(demo.port(), RawHttp.bytes(line + " HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n\r\n"));
    }

    @Test
    void aCallOfItIsSeenAsItHappens() {
        try (ConsoleBrowser window = new ConsoleBrowser(demo.port())) {
            Page page = window.open(null);
            page.navigate("/");
            Locator link = page.locator(".call a").first();
            link.waitFor(new Locator.WaitForOptions().setTimeout(SOON.toMillis()));
            String address = link.getAttribute("href");
            assertThat(page.locator(".call").filter(new Locator.FilterOptions().setHas(page.locator("a[href='" + address + "']"))))
                    .hasCount(0, new LocatorAssertions.HasCountOptions().setTimeout(2 * SOON.toMillis()));
            page.navigate("/" + address);
            assertThat(page.locator(".verdicts li")).not().hasCount(0);
            assertEquals(List.of(), window.errors());
        }
    }
}
