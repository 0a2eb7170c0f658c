package io.callbridge.support;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** How a JVM starts that lives for seconds: with classes that another one has read, and without the compiler that it would never earn. */
final class ClassData {

    private static final List<String> SHORT_LIFE = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
    private static List<String> options;

    private ClassData() {
    }

    /** Makes the class data of a package if there are none yet, which other processes that run tests may want at the same time. */
    static synchronized List<String> options(Path packaged) {
        if (options == null) {
            Path data = packaged.resolveSibling("callbridge-it.jsa");
            Unchecked.run(() -> {
                try (FileChannel one = FileChannel.open(packaged.resolveSibling("callbridge-it.lock"), StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE)) {
                    one.lock();
                    Path jar = packaged.resolve("quarkus-run.jar");
                    if (Files.notExists(data) || Files.getLastModifiedTime(data).compareTo(Files.getLastModifiedTime(jar)) < 0) {
                        make(data, jar);
                    }
                }
            });
            options = new ArrayList<>(SHORT_LIFE);
            if (Files.exists(data)) {
                options.add("-XX:SharedArchiveFile=" + data);
            }
        }
        return options;
    }

    private static void make(Path data, Path jar) throws IOException, InterruptedException {
        Files.deleteIfExists(data);
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(SHORT_LIFE);
        // A thousand lines about classes that are loaded but not used. What checks routes loads most of what a start loads, and ends.
        command.addAll(List.of("-XX:ArchiveClassesAtExit=" + data, "-Xlog:disable", "-Xlog:all=error", "-jar", jar.toString(),
                "--check-routes", "routes"));
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
    }
}
