package io.callbridge.domain;

/**
 * Who stands behind a number field.
 *
 * @param extension the own extension, for {@code OWN}
 * @param number E.164, or as it came when it cannot be read that way; {@code null} for {@code OWN} and {@code HIDDEN}
 * @param raw the field as it came
 */
public record Party(Kind kind, Extension extension, String number, String raw) {

    public enum Kind {
        OWN, OUTSIDE, HIDDEN
    }

    public boolean own() {
        return kind == Kind.OWN;
    }

    /** The raw form where it says something else than {@link #number()} (contract section 3). */
    public String rawNumber() {
        return kind == Kind.OUTSIDE && !raw.equals(number) ? raw : null;
    }
}
