package io.callbridge.demo;

import io.callbridge.platform.Demo;
import io.callbridge.platform.Settings;
import io.callbridge.start.CheckRoutes;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.ConfigProvider;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * A PBX to look at: plays believable calls against the bridge's own webhook (contract section 2) for as long as the
 * application runs. It is the PBX {@code demo} of the configuration; where no demo was asked for, it does nothing.
 */
@ApplicationScoped
public class DemoPbx {

    private static final Logger LOG = Logger.getLogger(DemoPbx.class);

    private static final long RETRY_MS = 500;
    /** So many refusals at the start are normal: the webhook is not there yet. */
    private static final int QUIET_FAILURES = 60;
    private static final int ATTEMPTS_PER_EVENT = 5;
    /** People breathe between two calls; the page has time to show how the last one ended. */
    private static final long REST_MS = 2000;

    private final Optional<String> secret;
    private final Settings settings;

    private DemoCalls calls;
    /** Extensions and outside numbers that are on a call. Only the thread of the clock touches it. */
    private final Set<String> busy = new HashSet<>();
    /** A call that waits for the webhook. */
    private Optional<DemoCalls.Call> next = Optional.empty();
    private HttpClient client;
    private ScheduledExecutorService clock;
    private URI webhook;
    private boolean answered;
    private int failures;
    private boolean warned;

    DemoPbx(@ConfigProperty(name = "callbridge.pbx.demo.secret") Optional<String> secret, Settings settings) {
        this.secret = secret;
        this.settings = settings;
    }

    void start(@Observes StartupEvent started) {
        if (!Demo.asked() || !CheckRoutes.starts(ConfigProvider.getConfig())) {
            return;
        }
        if (secret.isEmpty()) {
            LOG.warn("No demo calls are played: callbridge.pbx.demo.secret is missing");
            return;
        }
        webhook = URI.create(Demo.address() + "/pbx/"
                + URLEncoder.encode(secret.get(), StandardCharsets.UTF_8).replace("+", "%20") + "/events");
        calls = new DemoCalls();
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(2)).build();
        clock = new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("demo-pbx", true), new ThreadPoolExecutor.DiscardPolicy());
        in(0, this::nextCall);
    }

    void stop(@Observes ShutdownEvent stopped) {
        if (clock != null) {
            clock.shutdownNow();
        }
    }

    /** Starts a call if enough people are free. It counts as started when the webhook has taken its first event. */
    private void nextCall() {
        long pause = RETRY_MS;
        try {
            if (next.isEmpty()) {
                next = calls.next(busy);
            }
            if (next.isPresent()) {
                List<DemoCalls.Event> events = next.get().events();
                long startMs = System.currentTimeMillis();
                if (send(request(events.get(0), startMs))) {
                    play(events, startMs, next.get().parties());
                    next = Optional.empty();
                    pause = settings.number("demo.pause-ms");
                }
            }
        } finally {
            in(pause, this::nextCall);
        }
    }

    private void play(List<DemoCalls.Event> events, long startMs, Set<String> parties) {
        busy.addAll(parties);
        long gone = System.currentTimeMillis() - startMs;
        for (DemoCalls.Event event : events.subList(1, events.size())) {
            in(event.at() - gone, () -> deliver(request(event, startMs), 1));
        }
        in(events.get(events.size() - 1).at() + REST_MS, () -> busy.removeAll(parties));
    }

    /** An event that is lost would leave a call without an end. */
    private void deliver(HttpRequest request, int attempt) {
        if (!send(request) && attempt < ATTEMPTS_PER_EVENT) {
            in(RETRY_MS * attempt, () -> deliver(request, attempt + 1));
        }
    }

    private HttpRequest request(DemoCalls.Event event, long startMs) {
        String form = event.fields().entrySet().stream()
                .map(field -> field.getKey() + "=" + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&", "", "&EventTime=" + (startMs + event.at()) * 1000));
        return HttpRequest.newBuilder(webhook)
                .timeout(Duration.ofSeconds(5))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form))
                .build();
    }

    private boolean send(HttpRequest request) {
        try {
            int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            if (status == 200) {
                answered = true;
                failures = 0;
                warned = false;
                return true;
            }
            failed("answers " + status);
        } catch (IOException e) {
            failed("is out of reach: " + e);
        } catch (InterruptedException e) {
            // The application stops.
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private void failed(String how) {
        failures++;
        if (!warned && (answered || failures >= QUIET_FAILURES)) {
            warned = true;
            LOG.warnf("The webhook %s; the demo calls go on when it answers 200", how);
        }
    }

    private void in(long ms, Runnable task) {
        clock.schedule(() -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.warn("A step of a demo call failed", e);
            }
        }, ms, TimeUnit.MILLISECONDS);
    }
}
