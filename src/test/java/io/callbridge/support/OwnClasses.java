package io.callbridge.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The classes of the application itself, as they were compiled. */
public final class OwnClasses {

    private static final Path FOLDER = Path.of("target/classes");

    private OwnClasses() {
    }

    public static Stream<Class<?>> all() {
        return files().stream().map(file -> load(FOLDER.relativize(file).toString().replace(".class", "").replace('/', '.')));
    }

    /** Their files. */
    public static List<Path> files() {
        try (Stream<Path> files = Files.walk(FOLDER.resolve("io/callbridge"))) {
            return files.filter(file -> file.toString().endsWith(".class")).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, OwnClasses.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
