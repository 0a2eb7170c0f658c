package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.deque.html.axecore.results.Rule;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The browser of this machine, in which somebody looks at the console. */
public final class ConsoleBrowser implements AutoCloseable {

    private static final Path PICTURES = Path.of("target/screenshots");
    private static final Set<String> SERIOUS = Set.of("serious", "critical");
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

    private static final double PATIENCE_MS = 30_000;
    private static final double PATIENCE_TO_START_MS = 120_000;

    /** Started once, since that takes longer than what most tests do in it; it ends when this JVM has. */
    private static Browser browser;

    private final String origin;
    private final List<BrowserContext> contexts = new ArrayList<>();
    private final List<String> errors = new ArrayList<>();

    public ConsoleBrowser(int port) {
        Optional<Path> executable = installed();
        Assumptions.assumeTrue(executable.isPresent(), "no Chromium here: set CALLBRIDGE_BROWSER");
        origin = "http://127.0.0.1:" + port;
        start(executable.get());
    }

    private static synchronized void start(Path executable) {
        if (browser == null) {
            Playwright playwright = Playwright.create(new Playwright.CreateOptions()
                    .setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
            browser = playwright.chromium().launch(new BrowserType.LaunchOptions().setExecutablePath(executable)
                    .setArgs(List.of("--no-sandbox", "--disable-dev-shm-usage")).setTimeout(PATIENCE_TO_START_MS));
            PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE_MS);
        }
    }

    /** {@code CALLBRIDGE_BROWSER}, or what is on the path. */
    private static Optional<Path> installed() {
        String named = System.getenv("CALLBRIDGE_BROWSER");
        return named != null ? Optional.of(Path.of(named)) : NAMES.stream()
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable).findFirst();
    }

    /** Somebody's window. @param token {@code null}: he has to log in. @param language {@code en-GB}, {@code ru-RU} */
    public Page open(String token, String language, ColorScheme theme, int width, int height) {
        BrowserContext context = browser.newContext(new Browser.NewContextOptions().setLocale(language).setColorScheme(theme)
                .setViewportSize(width, height).setBaseURL(origin).setTimezoneId("Europe/Moscow"));
        contexts.add(context);
        context.setDefaultTimeout(PATIENCE_MS);
        if (token != null) {
            context.setExtraHTTPHeaders(Map.of("Authorization", "Bearer " + token));
        }
        Page page = context.newPage();
        page.onConsoleMessage(message -> {
            if (message.type().equals("error") || message.type().equals("warning")) {
                errors.add(message.text() + " at " + page.url());
            }
        });
        page.onPageError(error -> errors.add(error + " at " + page.url()));
        return page;
    }

    public Page open(String token) {
        return open(token, "en-GB", ColorScheme.LIGHT, 1280, 900);
    }

    /** What the browser has complained of since the last time it was asked. */
    public List<String> errors() {
        List<String> all = List.copyOf(errors);
        errors.clear();
        return all;
    }

    /** Nothing on the page keeps somebody with a disability from using it. */
    public static void assertAccessible(Page page) {
        List<String> found = new AxeBuilder(page).analyze().getViolations().stream().filter(rule -> SERIOUS.contains(rule.getImpact()))
                .map(ConsoleBrowser::words).toList();
        assertEquals(List.of(), found, page.url());
    }

    private static String words(Rule rule) {
        return rule.getId() + ": " + rule.getHelp() + rule.getNodes().stream().map(node -> "\n  " + node.getHtml()).toList();
    }

    public static void picture(Page page, String name) {
        page.screenshot(new Page.ScreenshotOptions().setPath(PICTURES.resolve(name + ".png")).setFullPage(true));
    }

    public void closeWindows() {
        contexts.forEach(BrowserContext::close);
        contexts.clear();
    }

    @Override
    public void close() {
        closeWindows();
    }
}
