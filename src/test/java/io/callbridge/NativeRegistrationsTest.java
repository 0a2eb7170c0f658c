package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.start.RouteVocabulary;
import io.callbridge.support.Pages;
import io.callbridge.support.TestConfig;
import io.callbridge.support.Vocabulary;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.inject.Named;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a native binary would lack where its tests do not come: beans, classes and methods that a route names, JSON, resources. What a
 * route may use beyond those of ours is tried on the binary itself, by {@link IntegratorIT}.
 */
class NativeRegistrationsTest {

    /** With a method that Camel looks for; an executor or a Netty handler is handed over as it is. */
    private static final Pattern BEAN = Pattern.compile("(?:\\$\\{bean:|\\b(?:ref|aggregationStrategy|\\w+Repository): )([a-z]\\w+)");
    private static final Pattern CLASS = Pattern.compile("\\b(?:[a-z]\\w*\\.){2,}[A-Z]\\w*");
    private static final Pattern METHOD = Pattern.compile(
            "\\$\\{(?:body|variable|header|exception)\\b[^{}(]*\\.(\\w+)\\(|\\$\\{exception\\.(\\w+)}");

    private static final Pattern JSON = Pattern.compile(
            "(?:readValue|convertValue|treeToValue|readerFor)\\([^;]*?\\w+\\.class|TypeReference<[\\w<>, ]+> ");
    private final Set<Class<?>> registered = Stream.concat(
            Vocabulary.ownClasses().filter(type -> type.isAnnotationPresent(RegisterForReflection.class)),
            Stream.of(RouteVocabulary.class.getAnnotation(RegisterForReflection.class).targets())).collect(Collectors.toSet());

    @Test
    void whatRoutesNameIsRegistered() {
        for (Path file : files("routes", ".camel.yaml").toList()) {
            assertEquals(Set.of(), lacking(Pages.text(file)), file::toString);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bean: {ref: nobody}                                | nobody",
        "bean: {ref: bootstrap}                             | bootstrap",
        "setBody: {simple: '${bean:bootstrap}'}             | bootstrap",
        "aggregate: {aggregationStrategy: nobody}           | nobody",
        "doCatch: [{exception: [java.io.EOFException]}]     | java.io.EOFException",
        "setBody: {simple: '${variable.a.trim()}'}          |",
        "setBody: {simple: '${variable.a.fly()}'}           | fly",
        "setBody: {simple: '${exception.height}'}           | height"})
    void whatLacksIsFound(String step, String lacks) {
        assertEquals(lacks == null ? Set.of() : Set.of(lacks), lacking("- " + step));
    }

    private Set<String> lacking(String yaml) {
        Set<String> beans = registered.stream().filter(type -> type.isAnnotationPresent(Named.class))
                .map(type -> type.getAnnotation(Named.class).value()).collect(Collectors.toSet());
        Set<String> classes = registered.stream().map(Class::getName).collect(Collectors.toSet());
        Set<String> methods = registered.stream().flatMap(type -> Stream.of(type.getMethods()))
                .flatMap(method -> Stream.of(method.getName(), property(method.getName()))).collect(Collectors.toSet());
        Set<String> lacking = new TreeSet<>();
        BEAN.matcher(yaml).results().map(bean -> bean.group(1)).filter(bean -> !beans.contains(bean)).forEach(lacking::add);
        CLASS.matcher(yaml).results().map(type -> type.group()).filter(type -> !classes.contains(type) && !type.equals("java.lang.String"))
                .forEach(lacking::add);
        METHOD.matcher(yaml).results().map(method -> method.group(1) == null ? method.group(2) : method.group(1))
                .filter(method -> !methods.contains(method)).forEach(lacking::add);
        return lacking;
    }

    private static String property(String getter) {
        return getter.startsWith("get") && getter.length() > 3 ? Character.toLowerCase(getter.charAt(3)) + getter.substring(4) : getter;
    }

    /** What is only written is a map, or is written on the binary too. */
    @Test
    void whatIsReadFromJsonIsRegistered() {
        Set<String> known = registered.stream().map(Class::getSimpleName).collect(Collectors.toSet());
        known.addAll(List.of("LinkedHashMap", "Map", "Object", "String", "TreeMap", "TypeReference"));
        Set<String> read = files("src/main/java", ".java").flatMap(file -> JSON.matcher(Pages.text(file)).results())
                .flatMap(use -> Stream.of(use.group().split("\\W+"))).filter(word -> word.matches("[A-Z]\\w+"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(read.contains("Tokens"), read::toString);
        read.removeAll(known);
        assertEquals(Set.of(), read);
    }

    /** Of ours; the scripts of the stores are found by Flyway's extension. */
    @Test
    void whatIsReadAtRunTimeIsIncluded() {
        String included = "glob:{META-INF/**,db/**," + TestConfig.packaged().getProperty("quarkus.native.resources.includes") + "}";
        Path own = Path.of("src/main/resources");
        assertEquals(List.of(), Stream.concat(files("src/main/resources", "").map(own::relativize), files("routes", ".camel.yaml"))
                .filter(file -> !FileSystems.getDefault().getPathMatcher(included).matches(file)).toList());
    }

    /** So none is registered for that; state is JSON and columns. */
    @Test
    void nothingIsSerializedByJava() {
        assertEquals(List.of(), files("src/main/java", ".java").filter(file -> Pages.text(file).matches("(?s).*Object(In|Out)putStream.*"))
                .toList());
        assertFalse(RouteVocabulary.class.getAnnotation(RegisterForReflection.class).serialization());
    }

    private static Stream<Path> files(String folder, String suffix) {
        return Pages.below(Path.of(folder)).filter(file -> Files.isRegularFile(file) && file.toString().endsWith(suffix));
    }
}
