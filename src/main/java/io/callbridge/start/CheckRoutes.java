package io.callbridge.start;

import io.callbridge.asterisk.Asterisks;
import io.callbridge.platform.KeyCheck;
import io.callbridge.platform.Problem;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StartException;
import io.quarkus.arc.Unremovable;
import io.quarkus.runtime.QuarkusApplication;
import jakarta.inject.Singleton;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.quarkus.main.CamelMain;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.eclipse.microprofile.config.Config;

/**
 * {@code --check-routes [DIR]}: tells every problem that would stop a start with these routes and the settings that are there,
 * one in a line, and starts nothing. Exit status 0: there is none; 1: there are some.
 */
@Singleton
@Unremovable
public class CheckRoutes implements QuarkusApplication {

    static final String OPTION = "--check-routes";
    private static final String STARTS = "quarkus.camel.bootstrap.enabled";

    private final Config config;
    private final Settings settings;
    private final Asterisks asterisks;
    private final CamelMain main;
    private final CamelContext context;

    public CheckRoutes(Config config, Settings settings, Asterisks asterisks, CamelMain main, CamelContext context) {
        this.config = config;
        this.settings = settings;
        this.asterisks = asterisks;
        this.main = main;
        this.context = context;
    }

    /** Whether this is a start, and no check. */
    public static boolean starts(Config config) {
        return config.getOptionalValue(STARTS, Boolean.class).orElse(true);
    }

    /**
     * Before Quarkus runs: nothing is opened, started or written.
     *
     * @param folder {@code null}: the one that a start would take
     */
    static void prepare(String folder) {
        for (String key : List.of(STARTS, "quarkus.http.host-enabled", "quarkus.log.console.enabled", "quarkus.log.file.enabled",
                "quarkus.vertx.caching", "quarkus.vertx.classpath-resolving", "quarkus.oidc.tenant-enabled")) {
            System.setProperty(key, "false");
        }
        if (folder != null) {
            System.setProperty(RoutesLocation.KEY, "file:" + folder.replaceFirst("(?<=.)/+$", "") + "/*.camel.yaml");
        }
    }

    @Override
    public int run(String... args) {
        String location = config.getValue(RoutesLocation.KEY, String.class);
        SortedSet<Problem> problems = new TreeSet<>();
        int files = 0;
        int routes = 0;
        try {
            List<Resource> found = files(location);
            files = found.size();
            KeyCheck.problems(config, RouteFile.texts(config, context).values()).forEach(problem -> problems.add(Problem.of(null, 0, problem)));
            checkSettings(problems);
            // Camel would stop at the first mistake, and speak of no other.
            main.getMainConfigurationProperties().setRoutesCollectorEnabled(false);
            main.init();
            context.init();
            RoutesCheck check = new RoutesCheck((ModelCamelContext) context, Settings.activeCrms(config), location);
            // A start loads these alone; then the others, which may use what these have.
            Map<Boolean, List<Resource>> loaded = found.stream().collect(
                    Collectors.partitioningBy(file -> RoutesLocation.loads(file.getLocation(), config)));
            check.check(loaded.get(true), asterisks::addRoutes);
            check.check(loaded.get(false), none -> { });
            routes = check.routes();
            problems.addAll(check.problems());
        } catch (Exception e) {
            problems.add(Problem.of(null, 0, e));
        }
        problems.forEach(System.out::println);
        System.out.println(problems.isEmpty() ? files + " files, " + routes + " routes: no problems"
                : problems.size() + (problems.size() == 1 ? " problem in " : " problems in ") + files + " files");
        return problems.isEmpty() ? 0 : 1;
    }

    /** The first use of the settings reads and checks them all. */
    private void checkSettings(SortedSet<Problem> problems) {
        try {
            settings.crms();
        } catch (StartException e) {
            problems.add(Problem.of(null, 0, e));
            Stream.of(e.getSuppressed()).forEach(other -> problems.add(Problem.of(null, 0, other)));
        }
    }

    private List<Resource> files(String locations) throws Exception {
        List<Resource> files = new ArrayList<>();
        for (String location : locations.split(",")) {
            files.addAll(filesAt(location.strip()));
        }
        return files;
    }

    private List<Resource> filesAt(String location) throws Exception {
        String folder = location.startsWith("file:") ? location.replaceFirst("^file:", "").replaceFirst("/[^/]*$", "") : "";
        if (!folder.isEmpty() && !Files.isDirectory(Path.of(folder))) {
            throw new StartException(folder + " is no folder; needed is one with files <stage>-<subject>.camel.yaml");
        }
        List<Resource> files = PluginHelper.getPackageScanResourceResolver(context).findResources(location).stream()
                .sorted(Comparator.comparing(Resource::getLocation)).toList();
        if (files.isEmpty()) {
            throw new StartException("no route in " + location + "; needed are files <stage>-<subject>.camel.yaml");
        }
        return files;
    }
}
