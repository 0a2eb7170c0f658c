package io.callbridge.platform;

import org.apache.camel.FailedToCreateRouteException;

/** Says in one line why a start failed. */
final class Refusal {

    private Refusal() {
    }

    /** The message of a {@link StartException}; else the route, if it is one, and the first cause of all. */
    static String line(Throwable error) {
        String route = "";
        String root = "";
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof StartException) {
                return oneLine(cause.getMessage());
            }
            if (cause instanceof FailedToCreateRouteException failed && failed.getRouteId() != null) {
                route = "route " + failed.getRouteId() + ": ";
            }
            root = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        }
        return oneLine(route + root);
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s*\\R\\s*", " ").strip();
    }
}
