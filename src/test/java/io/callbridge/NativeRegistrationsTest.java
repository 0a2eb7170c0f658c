package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.callbridge.platform.RouteVocabulary;
import io.callbridge.support.JsonTypes;
import io.callbridge.support.NativeNeeds;
import io.callbridge.support.NativeResources;
import io.callbridge.support.OwnClasses;
import io.callbridge.support.TestConfig;
import io.callbridge.support.Vocabulary;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a native binary would lack is found here, in seconds: classes that are reached by a name, JSON, resources, and Java's
 * serialization. Each check is also shown something that lacks.
 */
class NativeRegistrationsTest {

    private static final List<String> SERIALIZERS = List.of("java/io/ObjectOutputStream", "java/io/ObjectInputStream");
    private final NativeNeeds needs = new NativeNeeds(OwnClasses.all().toList());
    private final NativeResources resources = new NativeResources(TestConfig.PACKAGED);

    @TempDir
    private Path scratch;

    @TestFactory
    Stream<DynamicTest> routesFindWhatTheyName() throws IOException {
        return files(Path.of("routes"), ".camel.yaml").stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(),
                () -> assertEquals(Set.of(), needs.findings(Files.readString(file)))));
    }

    @TestFactory
    Stream<DynamicTest> routesOfTheVocabularyFindWhatTheyName() {
        return Vocabulary.words().stream().filter(word -> Vocabulary.FILES.contains(word.kind()))
                .map(word -> DynamicTest.dynamicTest(word.toString(), () -> {
                    Set<String> lacking = needs.findings(word.route());
                    lacking.removeIf(finding -> finding.startsWith("no bean vocabulary"));
                    assertEquals(Set.of(), lacking);
                }));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bean: {ref: nobody}                                | no bean nobody",
        "bean: {ref: bootstrap}                             | bean bootstrap is of io.callbridge.platform.Bootstrap, which is not registered",
        "setBody: {simple: '${bean:bootstrap}'}             | bean bootstrap is of io.callbridge.platform.Bootstrap, which is not registered",
        "setBody: {method: {ref: nobody}}                   | no bean nobody",
        "aggregate: {aggregationStrategy: nobody}           | no bean nobody",
        "aggregate: {executorService: nobody}               | no bean nobody",
        "to: {uri: 'bean:nobody'}                           | no bean nobody",
        "to: {uri: direct:x, parameters: {a: '#nobody'}}    | no bean nobody",
        "doCatch: [{exception: [java.io.EOFException]}]     | java.io.EOFException is not registered",
        "throwException: {exceptionType: java.io.EOFException} | java.io.EOFException is not registered",
        "convertBodyTo: {type: java.util.UUID}              | java.util.UUID is not registered",
        "setBody: {simple: '${bodyAs(java.util.UUID)}'}     | java.util.UUID is not registered",
        "setBody: {simple: '${variable.a.trim()}'}          | ",
        "setBody: {simple: '${variable.a.fly()}'}           | no registered class has a method fly: ${variable.a.fly()}",
        "setBody: {simple: '${exception.height}'}           | no registered exception has a method getHeight",
        "to: {uri: 'netty:tcp://localhost:1', parameters: {sync: true}} | netty without [clientInitializerFactory, decoders, encoders, serverInitializerFactory, textline] serializes Java objects"
    })
    void aRouteThatNamesWhatLacksIsFound(String step, String finding) {
        assertEquals(finding == null ? Set.of() : Set.of(finding), needs.findings("- " + step));
    }

    @Test
    void whatIsJsonIsRegistered() throws IOException {
        Set<String> types = JsonTypes.in(files(Path.of("src/main/java"), ".java"));
        assertFalse(types.isEmpty());
        types.removeAll(OwnClasses.all().filter(type -> type.isAnnotationPresent(RegisterForReflection.class))
                .map(Class::getName).collect(Collectors.toSet()));
        assertEquals(Set.of(), types);
    }

    /** Read, written, as an element, and inside a map of anything. */
    @ParameterizedTest
    @ValueSource(strings = {"mapper.readValue(text, Row.class)", "mapper.writeValueAsString(new Row(1))", "mapper.valueToTree(List.of(new Row(1)))",
        "mapper.readValue(text, new TypeReference<Map<String, Row>>() { })", "mapper.writeValueAsString(Map.<String, Object>of(\"a\", new Row(1)))",
        "new LinkedHashMap<String, Object>().put(\"a\", new Row(1))", "mapper.readerFor(Row.class)"})
    void aRecordThatIsJsonIsFound(String use) throws IOException {
        Path source = Files.writeString(scratch.resolve("Use.java"), """
                package io.callbridge.madeup;
                import com.fasterxml.jackson.core.type.TypeReference;
                import com.fasterxml.jackson.databind.ObjectMapper;
                import java.util.*;
                class Use {
                    record Row(int number) { }
                    Object use(ObjectMapper mapper, String text) throws Exception { return %s; }
                }
                """.formatted(use));
        assertEquals(Set.of("io.callbridge.madeup.Use$Row"), JsonTypes.in(List.of(source)));
    }

    @Test
    void whatIsReadAtRunTimeIsIncluded() throws IOException {
        assertEquals(Set.of(), resources.missing(resources.packaged()));
        Set<String> ofLibraries = resources.ofLibraries();
        assertFalse(ofLibraries.isEmpty());
        assertEquals(Set.of(), resources.missing(ofLibraries));
    }

    @Test
    void aResourceThatIsNotIncludedIsFound() {
        assertEquals(new TreeSet<>(Set.of("demo/deep/page.html", "db/other/V1__x.sql", "words.txt")), resources.missing(
                Set.of("demo/deep/page.html", "demo/index.html", "db/other/V1__x.sql", "db/sqlite/V9__x.sql", "words.txt", "routes/a.camel.yaml")));
    }

    /** So none is registered; state is JSON and columns. Netty endpoints are looked at among the routes. */
    @Test
    void nothingIsSerializedByJava() throws IOException {
        for (Path file : OwnClasses.files()) {
            assertEquals(List.of(), serializers(Files.readAllBytes(file)), file::toString);
        }
        byte[] other = getClass().getResourceAsStream("NativeRegistrationsTest$Serializing.class").readAllBytes();
        assertEquals(SERIALIZERS.subList(0, 1), serializers(other));
        assertFalse(RouteVocabulary.class.getAnnotation(RegisterForReflection.class).serialization());
    }

    /** Something that serializes. */
    static final class Serializing {

        private Serializing() {
        }

        static void write(Object any) throws IOException {
            new java.io.ObjectOutputStream(java.io.OutputStream.nullOutputStream()).writeObject(any);
        }
    }

    private static List<String> serializers(byte[] classFile) {
        String constants = new String(classFile, StandardCharsets.ISO_8859_1);
        return SERIALIZERS.stream().filter(constants::contains).toList();
    }

    private static List<Path> files(Path folder, String suffix) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        }
    }
}
