package io.callbridge.support;

import java.nio.file.Path;
import java.util.stream.Stream;

/** The classes of the application itself, as they were compiled. */
public final class OwnClasses {

    private static final Path FOLDER = Path.of("target/classes");

    private OwnClasses() {
    }

    public static Stream<Class<?>> all() {
        return Pages.below(FOLDER.resolve("io/callbridge")).filter(file -> file.toString().endsWith(".class")).sorted().map(OwnClasses::load);
    }

    private static Class<?> load(Path file) {
        String name = FOLDER.relativize(file).toString().replace(".class", "").replace('/', '.');
        return Unchecked.<Class<?>>get(() -> Class.forName(name, false, OwnClasses.class.getClassLoader()));
    }
}
