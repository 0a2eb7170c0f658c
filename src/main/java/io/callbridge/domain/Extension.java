package io.callbridge.domain;

/**
 * An extension of a PBX.
 *
 * @param name short name as people say it ({@code 101})
 * @param user CRM user behind a phone; {@code null}: not mapped
 * @param id numeric id at the PBX, the part of a SubCallID before the dash; {@code null}: not configured
 */
public record Extension(String name, Type type, String user, String id) {

    /**
     * Kind of extension. {@code UNKNOWN}: it is one of ours by its prefix, but not configured. {@code TRUNK}: a line to the
     * outside, on which the outside party itself is.
     */
    public enum Type {
        PHONE, IVR, QUEUE, FAX, TRUNK, UNKNOWN;

        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** An IVR or a queue: it holds callers, nobody talks there. */
    public boolean container() {
        return type == Type.IVR || type == Type.QUEUE;
    }
}
