package io.callbridge.support;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command of the packaged application, which ends by itself: the jar, or the native binary, as {@link BridgeProcess} has it. */
public final class BridgeCommand {

    private static final boolean NATIVE = Boolean.getBoolean("callbridge.native");
    private static final int SECONDS = 300;

    public record Result(int status, List<String> output, List<String> errors) {
    }

    private final Path folder;
    private final Map<String, String> settings = new LinkedHashMap<>();

    /** @param folder the working directory */
    public BridgeCommand(Path folder) {
        this.folder = folder;
    }

    public BridgeCommand setting(String key, String value) {
        settings.put(key, value);
        return this;
    }

    public Result run(String... arguments) {
        return Unchecked.get(() -> {
            Path output = Files.createTempFile("callbridge-output-", ".txt");
            Path errors = Files.createTempFile("callbridge-errors-", ".txt");
            Process process = BridgeProcess.program(folder, NATIVE, "256m", NATIVE ? List.of() : ClassData.options(BridgeProcess.PACKAGE),
                    settings, arguments)
                    .redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("the command does not end:\n" + Files.readString(output) + Files.readString(errors));
            }
            Result result = new Result(process.exitValue(), Files.readAllLines(output), Files.readAllLines(errors));
            Files.delete(output);
            Files.delete(errors);
            return result;
        });
    }
}
