package io.callbridge.crm;

/** A refusal in the words of Bitrix24. */
final class Bitrix24Error extends RuntimeException {

    private static final long serialVersionUID = 1L;

    final int status;
    final String code;

    Bitrix24Error(int status, String code, String description) {
        super(description);
        this.status = status;
        this.code = code;
    }

    /** An error of a method's own logic. */
    static Bitrix24Error core(String description) {
        return new Bitrix24Error(400, "ERROR_CORE", description);
    }

    /** Some errors come with an empty code. Bitrix24 documentation, telephony.externalCall.attachRecord; b24-rest-docs issue 175. */
    static Bitrix24Error nameless(String description) {
        return new Bitrix24Error(400, "", description);
    }

    /** What the vendor would silently cast or ignore: here it is refused, so that an adapter cannot send nonsense. */
    static Bitrix24Error strict(String description) {
        return new Bitrix24Error(400, "INVALID_ARGUMENT", "Stand-in: " + description);
    }
}
