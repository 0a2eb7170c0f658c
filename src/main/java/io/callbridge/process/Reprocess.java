package io.callbridge.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.CallLog;
import io.callbridge.platform.Settings;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls;
import io.callbridge.store.Calls.Place;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Delivery;
import io.callbridge.store.Store;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;
import org.jboss.logging.Logger;

/** Folds stored calls again, and compares what the routes make of them now with the outbox. */
@ApplicationScoped
@Named("reprocess")
@RegisterForReflection
public class Reprocess {

    private static final Logger LOG = Logger.getLogger(Reprocess.class);
    private static final int PAGE = 200;

    private final Calls index;
    private final CallLanes lanes;
    private final Store store;
    private final EffectCollector effects;
    private final ReprocessJobs jobs;
    private final Settings settings;
    private final CamelContext context;
    private final ObjectMapper json;

    public Reprocess(Calls index, CallLanes lanes, Store store, EffectCollector effects, ReprocessJobs jobs, Settings settings, CamelContext context,
            ObjectMapper json) {
        this.index = index;
        this.lanes = lanes;
        this.store = store;
        this.effects = effects;
        this.jobs = jobs;
        this.settings = settings;
        this.context = context;
        this.json = json;
    }

    /** The calls of a run as pieces of work, read a page at a time, until it is stopped; none of a PBX that is no longer configured. */
    public Iterator<Map<String, Object>> calls(@ExchangeProperty(ReprocessRun.PROPERTY) ReprocessRun run) {
        run.of(index.count(run.from, run.to, settings.pbxs()));
        return new Iterator<>() {
            private final Deque<CallRow> page = new ArrayDeque<>();
            private Place last = new Place(run.from, "", "");

            @Override
            public boolean hasNext() {
                if (run.unwanted() || !context.isStarted()) {
                    return false;
                }
                while (page.isEmpty() && last != null) {
                    store.yieldToOthers();
                    List<CallRow> rows = index.range(run.to, last, PAGE);
                    last = rows.size() < PAGE ? null : Place.of(rows.get(PAGE - 1));
                    rows.stream().filter(row -> settings.knows(row.pbx())).forEach(page::add);
                }
                return !page.isEmpty();
            }

            @Override
            public Map<String, Object> next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                CallRow call = page.poll();
                return Map.of("pbx", call.pbx(), "callId", call.callId());
            }
        };
    }

    /**
     * What is to be looked at: every leg that is over, then the whole call. Nothing of a call whose events are just being processed: a
     * registration must not overtake the end of its card.
     */
    public List<Map<String, Object>> looks(@ExchangeProperty(Fold.PROPERTY) Fold fold,
            @ExchangeProperty(ReprocessRun.PROPERTY) ReprocessRun run) {
        List<Map<String, Object>> looks = new ArrayList<>();
        if (isOpen(fold)) {
            return looks;
        }
        for (String subject : fold.subjects) {
            boolean whole = subject.equals(Fold.MISSED);
            if (whole || fold.call.leg(subject).over(fold.settings, fold.now)) {
                looks.add(Map.of("pbx", fold.directory.pbx(), "callId", fold.call.id(), "subject", subject, "whole", whole));
            }
        }
        return looks;
    }

    private boolean isOpen(Fold fold) {
        return lanes.busy(fold.open.pbx, fold.open.callId);
    }

    /** Compares, and creates what is missing unless this is a dry run. What is there stays as it is. */
    public void settle(@ExchangeProperty(Fold.PROPERTY) Fold fold, @ExchangeProperty(ReprocessRun.PROPERTY) ReprocessRun run)
            throws Exception {
        if (fold.failure != null) {
            throw fold.failure;
        }
        List<Put> missing = fold.puts.stream().filter(put -> stored(fold, put).isEmpty()).toList();
        List<Put> different = new ArrayList<>();
        for (Put put : fold.puts) {
            Optional<Delivery> stored = stored(fold, put);
            if (stored.isPresent() && !tree(stored.get().body()).equals(tree(put.body()))) {
                different.add(put);
            }
        }
        if (!run.dryRun && !missing.isEmpty()) {
            create(fold, missing);
        }
        List<Map<String, Object>> differences = new ArrayList<>();
        for (Put put : missing) {
            differences.add(view("missing", put, fold));
        }
        for (Put put : different) {
            Map<String, Object> view = view("different", put, fold);
            view.put("stored", tree(stored(fold, put).orElseThrow().body()));
            differences.add(view);
        }
        run.settled(isOpen(fold), missing.size(), different.size(), run.dryRun ? 0 : missing.size(), differences);
        jobs.went(run);
    }

    /** All of its calls have been folded, or somebody has stopped it. */
    public void finish(@ExchangeProperty(ReprocessRun.PROPERTY) ReprocessRun run) {
        end(run, ReprocessRun.DONE, null);
    }

    /** It cannot go on. */
    public void breakOff(@ExchangeProperty(ReprocessRun.PROPERTY) ReprocessRun run, @ExchangeProperty(Exchange.EXCEPTION_CAUGHT) Exception cause) {
        end(run, ReprocessRun.FAILED, cause.getMessage());
    }

    /** What fails while Callbridge stops fails by that. */
    private void end(ReprocessRun run, String state, String reason) {
        if (run.unwanted()) {
            jobs.end(run, ReprocessRun.STOPPED, null);
        } else if (!context.isStarted()) {
            jobs.end(run, ReprocessRun.ENDED, "Callbridge was stopped");
        } else {
            jobs.end(run, state, reason);
        }
    }

    private void create(Fold fold, List<Put> missing) {
        fold.puts.retainAll(missing);
        if (!effects.write(fold).join()) {
            throw new StaleLookException(fold.call.id());
        }
    }

    /** Notes that a call could not be folded or written. */
    public void fail(@ExchangeProperty(ReprocessRun.PROPERTY) ReprocessRun run, @ExchangeProperty(Fold.PROPERTY) Fold fold,
            @ExchangeProperty(Exchange.EXCEPTION_CAUGHT) Exception cause) {
        String callId = fold == null ? "(not read)" : fold.call.id();
        try (CallLog log = CallLog.about(callId)) {
            LOG.errorf("Call %s could not be folded again: %s", callId, cause);
        }
        run.failed();
        jobs.went(run);
    }

    private static Optional<Delivery> stored(Fold fold, Put put) {
        return fold.deliveries.stream().filter(delivery -> delivery.crm().equals(put.crm())
                && delivery.operation().equals(put.operation()) && delivery.id().equals(put.id())).findFirst();
    }

    private Map<String, Object> view(String kind, Put put, Fold fold) throws JsonProcessingException {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("kind", kind);
        view.put("callId", fold.call.id());
        view.put("pbx", fold.directory.pbx());
        view.put("crm", put.crm());
        view.put("operation", put.operation());
        view.put("key", put.id());
        view.put("request", tree(put.body()));
        return view;
    }

    private JsonNode tree(String body) throws JsonProcessingException {
        return json.readTree(body);
    }
}
