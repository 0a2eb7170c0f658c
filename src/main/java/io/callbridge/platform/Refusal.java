package io.callbridge.platform;

import java.util.ArrayList;
import java.util.List;

/** Says in one line why a start failed. */
final class Refusal {

    private Refusal() {
    }

    static String line(Throwable error) {
        List<String> messages = new ArrayList<>();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof StartException) {
                return oneLine(cause.getMessage());
            }
            messages.add(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
        }
        return oneLine(String.join(" <- ", messages));
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s*\\R\\s*", " ").strip();
    }
}
