package io.callbridge.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The heap of another JVM. */
final class JvmHeap {

    private static final Pattern TOTAL = Pattern.compile("(?m)^Total +\\d+ +(\\d+)$");

    private JvmHeap() {
    }

    /**
     * What is reachable after a full collection, in KiB: the sum of the histogram of live objects, since the heap's own figure
     * counts what a busy process has thrown away since.
     */
    static double liveKiB(long pid) {
        String histogram = jcmd(pid, "GC.class_histogram");
        Matcher total = TOTAL.matcher(histogram);
        if (!total.find()) {
            throw new AssertionError("jcmd does not say how much heap is live: " + histogram);
        }
        return Long.parseLong(total.group(1)) / 1024.0;
    }

    private static String jcmd(long pid, String command) {
        try {
            String program = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
            Process jcmd = new ProcessBuilder(program, Long.toString(pid), command).redirectErrorStream(true).start();
            String answer = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (jcmd.waitFor() != 0) {
                throw new AssertionError("jcmd " + command + ": " + answer);
            }
            return answer;
        } catch (IOException e) {
            throw new AssertionError("no jcmd: a JDK is needed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
