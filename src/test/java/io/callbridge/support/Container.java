package io.callbridge.support;

import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The application in a container of podman, limited as a pod is: the system property {@code callbridge.test.image} names the
 * image. It takes root, since the application is another user and its signals come from outside.
 */
final class Container {

    static final String IMAGE = System.getProperty("callbridge.test.image");
    /** Twice the heap that these processes usually have: the image takes the half of its memory. */
    private static final String MEMORY = "512m";

    private final Path folder;
    private final Path pidFile;

    Container(Path folder) {
        this.folder = folder;
        pidFile = folder.resolve("container.pid");
    }

    /** The command that starts a container with the folder as its working directory, and ends with the container. */
    List<String> command(Map<String, String> settings, Map<String, String> environment) {
        Unchecked.run(() -> Files.deleteIfExists(pidFile));
        Unchecked.run(() -> Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx")));
        List<String> command = new ArrayList<>(List.of("podman", "run", "--rm", "--network", "host", "--memory", MEMORY, "--read-only",
                "--tmpfs", "/tmp:rw,exec,mode=1777", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "10001:10001",
                "--volume", folder + ":" + folder, "--workdir", folder.toString(), "--pidfile", pidFile.toString()));
        // What follows an image's name are arguments of the program, and a JVM would have its settings before that; a variable
        // may have a setting's name as it is.
        settings.forEach((key, value) -> command.addAll(List.of("--env", key + "=" + value)));
        environment.forEach((name, value) -> command.addAll(List.of("--env", name + "=" + value)));
        command.add(IMAGE);
        return command;
    }

    /** The application itself: podman's own process is only its messenger, and does not take it along when it is killed. */
    ProcessHandle application(Process podman) {
        await("the container").atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20))
                .until(() -> !podman.isAlive() || Files.exists(pidFile) && Files.size(pidFile) > 0);
        return Unchecked.get(() -> Files.exists(pidFile)
                ? ProcessHandle.of(Long.parseLong(Files.readString(pidFile).strip())).orElseGet(podman::toHandle) : podman.toHandle());
    }
}
