package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Pages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The build's own list of what it has packaged is complete, and all of it may be given away with an Apache-2.0 product. */
@Tag("native")
class SbomIT {

    private static final boolean NATIVE = Boolean.getBoolean("callbridge.native");
    private static final Path SBOM = NATIVE ? Path.of(BridgeProcess.BINARY + "-cyclonedx.json") : Path.of("target/quarkus-run-cyclonedx.json");
    /** Of several licences of one library the user has the choice. EPL-2.0: its own files stay under it, ours do not come under it. */
    private static final Set<String> COMPATIBLE = Set.of("Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "EPL-2.0",
            "CC0-1.0", "Public Domain");
    /** What the build makes itself. */
    private static final Set<String> GENERATED = Set.of("quarkus-run.jar", "transformed-bytecode.jar", "generated-bytecode.jar",
            "quarkus-application.dat", "quarkus-app-dependencies.txt", "callbridge", BridgeProcess.BINARY.getFileName().toString());

    /** What is shipped; Quarkus' build-time parts are listed too. */
    private final List<JsonNode> shipped = new ArrayList<>();

    @BeforeEach
    void read() throws IOException {
        new ObjectMapper().readTree(SBOM.toFile()).path("components").forEach(shipped::add);
        shipped.removeIf(component -> component.path("properties").toString().contains("\"development\""));
    }

    @Test
    void itListsEveryFileThatIsShippedAndNoOther() {
        assumeTrue(!NATIVE, "a binary has no files");
        Set<String> listed = new TreeSet<>();
        shipped.forEach(component -> listed.addAll(component.at("/evidence/occurrences").findValuesAsText("location")));
        assertEquals(Pages.below(BridgeProcess.PACKAGE).filter(Files::isRegularFile)
                .map(file -> BridgeProcess.PACKAGE.relativize(file).toString()).collect(Collectors.toCollection(TreeSet::new)), listed);
    }

    @Test
    void everyLibraryHasACompatibleLicence() {
        List<String> faults = new ArrayList<>();
        assertTrue(shipped.size() > 100, () -> shipped.size() + " components");
        shipped.forEach(component -> {
            List<String> licences = Stream.of("id", "name").flatMap(by -> component.path("licenses").findValuesAsText(by).stream()).toList();
            if (!GENERATED.contains(component.path("name").asText()) && licences.stream().noneMatch(COMPATIBLE::contains)) {
                faults.add(component.path("bom-ref").asText() + ": " + licences);
            }
        });
        assertEquals(List.of(), faults, () -> "allowed: " + COMPATIBLE);
    }
}
