package io.callbridge.domain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The domain must stay readable and runnable without any framework. */
class DomainImportsTest {

    @Test
    void theDomainImportsOnlyJavaAndItself() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/main/java/io/callbridge/domain"))) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
            assertFalse(sources.isEmpty());
            for (Path source : sources) {
                List<String> foreign = Files.readAllLines(source).stream().filter(line -> line.startsWith("import "))
                        .map(line -> line.replaceFirst("^import (static )?", ""))
                        .filter(name -> !name.startsWith("java.") && !name.startsWith("io.callbridge.domain.")).toList();
                assertEquals(List.of(), foreign, source.toString());
            }
        }
    }
}
