package io.callbridge.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A command of the packaged application, which ends by itself: the jar, or the native binary, as {@link BridgeProcess} has it. */
public final class BridgeCommand {

    private static final boolean NATIVE = Boolean.getBoolean("callbridge.native");
    private static final int SECONDS = 300;

    /** What is left of a command. */
    public record Result(int status, List<String> output, List<String> errors) {
    }

    private final Path folder;
    private final List<String> properties = new ArrayList<>();

    /** @param folder the working directory */
    public BridgeCommand(Path folder) {
        this.folder = folder;
    }

    /** Gives the command a setting. */
    public BridgeCommand setting(String key, String value) {
        properties.add("-D" + key + "=" + value);
        return this;
    }

    /** Runs it to its end. */
    public Result run(String... arguments) {
        List<String> command = new ArrayList<>();
        if (NATIVE) {
            command.add(BridgeProcess.BINARY.toString());
            command.addAll(properties);
        } else {
            command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m"));
            command.addAll(ClassData.options(BridgeProcess.PACKAGE));
            command.addAll(properties);
            command.addAll(List.of("-jar", BridgeProcess.PACKAGE.resolve("quarkus-run.jar").toString()));
        }
        command.addAll(List.of(arguments));
        try {
            Path output = Files.createTempFile("callbridge-output-", ".txt");
            Path errors = Files.createTempFile("callbridge-errors-", ".txt");
            ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectOutput(output.toFile())
                    .redirectError(errors.toFile());
            builder.environment().keySet().removeIf(name -> name.matches("(CALLBRIDGE|QUARKUS)_.*|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS"));
            Process process = builder.start();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("the command does not end:\n" + Files.readString(output) + Files.readString(errors));
            }
            Result result = new Result(process.exitValue(), Files.readAllLines(output, StandardCharsets.UTF_8),
                    Files.readAllLines(errors, StandardCharsets.UTF_8));
            Files.delete(output);
            Files.delete(errors);
            return result;
        } catch (IOException e) {
            throw new UncheckedIOException("the packaged application cannot be started; run 'mvn package' first", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
