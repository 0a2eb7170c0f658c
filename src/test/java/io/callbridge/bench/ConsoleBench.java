package io.callbridge.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.bench.BenchTable.Runs;
import io.callbridge.support.BridgeProcess;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * How quickly the console's lists come with many calls in the store: rows per second of a page by HTTP, against one plain SQL query
 * for the same rows, on a connection of its own to the same file.
 */
class ConsoleBench {

    private static final int CALLS = 100_000;
    private static final int PAGE = 500;

    @Test
    void lists() throws SQLException {
        BenchTable table = new BenchTable();
        table.head("The console's lists with " + CALLS + " stored calls, pages of " + PAGE
                + "; mvn verify -Pbench -Dit.test=ConsoleBench; median of "
                + Runs.COUNT + " runs (extremes)");
        try (BridgeProcess bridge = BridgeProcess.builder().asInstalled().heap("512m")
                .setting("callbridge.crm.rest.url", "http://127.0.0.1:1/crm").start();
                StoreProbe store = new StoreProbe(bridge.storeUrl())) {
            fill(bridge.storeUrl());
            String first = next(bridge, "");
            String deep = first;
            for (int page = 1; page < CALLS / PAGE / 2; page++) {
                deep = next(bridge, deep);
            }
            Map<String, String> rows = new LinkedHashMap<>();
            rows.put("j1 newest calls", " 1 = 1");
            rows.put("j2 behind 50,000 others", "&after=" + deep.replace("~", "%7E") + " first_at <= " + deep.split("~")[0]);
            rows.put("j3 by outcome", "&outcome=missed outcome = 'missed'");
            rows.put("j4 by number", "&number=%2B79000000007 number = '+79000000007'");
            rows.put("j5 by extension", "&extension=105 call_id in (select call_id from call_part where kind = 'extension' and name = '105')");
            for (Map.Entry<String, String> row : rows.entrySet()) {
                String[] asked = row.getValue().split(" ", 2);
                measure(table, bridge, store, row.getKey(), asked[0], asked[1]);
            }
        }
        System.out.println(table);
    }

    private static void measure(BenchTable table, BridgeProcess bridge, StoreProbe store, String what, String query,
            String where) {
        double[] pages = new double[2 * Runs.COUNT];
        double[] plain = new double[2 * Runs.COUNT];
        for (int run = 0; run < 2 * Runs.COUNT; run++) {
            long begin = System.nanoTime();
            HttpResponse<String> answer = bridge.get("/api/calls?limit=" + PAGE + query);
            pages[run] = PAGE / ((System.nanoTime() - begin) / 1e9);
            assertEquals(PAGE, bridge.json(answer).path("calls").size(), answer::body);
            begin = System.nanoTime();
            int rows = store.column("select parties, pbx, call_id, version, first_at, last_at, outcome, number from call where " + where
                    + " order by first_at desc, pbx desc, call_id desc limit " + PAGE).size();
            plain[run] = rows / ((System.nanoTime() - begin) / 1e9);
            assertEquals(PAGE, rows);
        }
        // The first runs warm up.
        Runs paged = Runs.of(run -> pages[Runs.COUNT + run]);
        table.row(what.substring(0, 2), "rows/s of a page, " + what.substring(3), paged, "one plain SQL query",
                Runs.of(run -> plain[Runs.COUNT + run]), 0, "-");
        table.note(what.substring(0, 2) + ": a page takes " + String.format(Locale.ROOT, "%.1f", PAGE / paged.median() * 1000) + " ms");
    }

    private static String next(BridgeProcess bridge, String after) {
        String from = after.isEmpty() ? "" : "&after=" + after.replace("~", "%7E");
        return bridge.json("/api/calls?limit=" + PAGE + from).path("next").asText();
    }

    private static void fill(String url) throws SQLException {
        String calls = "with recursive n(i) as (select 0 union all select i + 1 from n where i < " + (CALLS - 1) + "), c as (select i,"
                + " printf('%032x', i * 2654435761) id, " + (System.currentTimeMillis() - CALLS * 20_000L)
                + " + i * 20000 at, 101 + i % 50 extension,"
                + " iif(i % 10 = 0, '', 'user' || (i % 50)) user from n) select 'main', id, ";
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute("insert into call (pbx, call_id, version, first_at, last_at, outcome, number, parties, open_legs, document) " + calls
                    + "1, at, at + 15000,"
                    + " case i % 6 when 3 then 'missed' when 4 then 'unanswered' when 5 then 'local' else 'answered' end,"
                    + " printf('+7900%07d', i % 150), '{\"' || extension || '\":\"' || user || '\"}', 0, '{}' from c");
            statement.execute("insert into call_part (pbx, call_id, kind, name) " + calls + "'extension', extension from c");
        }
    }
}
