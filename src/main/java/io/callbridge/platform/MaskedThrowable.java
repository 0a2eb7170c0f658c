package io.callbridge.platform;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Objects;
import java.util.Set;

/** Looks in the log like another exception, but without phone numbers. */
final class MaskedThrowable extends Throwable {

    private MaskedThrowable(Throwable original, Set<Throwable> seen) {
        super(LogMask.mask(original.toString()));
        seen.add(original);
        setStackTrace(original.getStackTrace());
        if (original.getCause() != null && !seen.contains(original.getCause())) {
            initCause(new MaskedThrowable(original.getCause(), seen));
        }
        for (Throwable suppressed : original.getSuppressed()) {
            if (!seen.contains(suppressed)) {
                addSuppressed(new MaskedThrowable(suppressed, seen));
            }
        }
    }

    /** The exception itself if there is nothing to mask, in it or behind it. */
    static Throwable of(Throwable original) {
        return tells(original, identities()) ? new MaskedThrowable(original, identities()) : original;
    }

    private static boolean tells(Throwable any, Set<Throwable> seen) {
        if (any == null || !seen.add(any)) {
            return false;
        }
        boolean tells = !Objects.equals(any.toString(), LogMask.mask(any.toString())) || tells(any.getCause(), seen);
        for (Throwable suppressed : any.getSuppressed()) {
            tells |= tells(suppressed, seen);
        }
        return tells;
    }

    private static Set<Throwable> identities() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /** With the name of the original's class, as a stack trace begins. */
    @Override
    public String toString() {
        return getMessage();
    }
}
