package io.callbridge.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The classes of the application itself, as they were compiled. */
public final class OwnClasses {

    private static final Path FOLDER = Path.of("target/classes");

    private OwnClasses() {
    }

    public static Stream<Class<?>> all() {
        try (Stream<Path> files = Files.walk(FOLDER.resolve("io/callbridge"))) {
            return files.filter(file -> file.toString().endsWith(".class")).sorted().<Class<?>>map(OwnClasses::load).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Class<?> load(Path file) {
        try {
            String name = FOLDER.relativize(file).toString().replace(".class", "").replace('/', '.');
            return Class.forName(name, false, OwnClasses.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
