package io.callbridge.platform;

import org.apache.camel.FailedToCreateRouteException;

/** Says in one line why a start failed. */
public final class Refusal {

    private Refusal() {
    }

    /** The message of a {@link StartException}; else the file and the route, if it is one, and the first cause of all. */
    public static String line(Throwable error) {
        String place = "";
        String location = null;
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof StartException) {
                return oneLine(cause.getMessage());
            }
            if (cause instanceof FailedToCreateRouteException failed && failed.getRouteId() != null) {
                place = "route " + failed.getRouteId() + ": ";
                location = failed.getLocation();
            }
        }
        Problem problem = Problem.of(location, 0, error);
        return new Problem(problem.file(), problem.line(), place + problem.text()).toString();
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s*\\R\\s*", " ").strip();
    }
}
