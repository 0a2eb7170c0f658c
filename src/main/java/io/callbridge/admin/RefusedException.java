package io.callbridge.admin;

/** A request to the administration API that is not done. The message is the one line of reason that the operator gets. */
class RefusedException extends RuntimeException {

    private final int status;

    private RefusedException(int status, String message) {
        super(message);
        this.status = status;
    }

    /** The request cannot be read. */
    static RefusedException bad(String message) {
        return new RefusedException(400, message);
    }

    static RefusedException notFound(String message) {
        return new RefusedException(404, message);
    }

    /** It can be read, but not be done as things stand. */
    static RefusedException conflict(String message) {
        return new RefusedException(409, message);
    }

    /** Of the HTTP answer. */
    int status() {
        return status;
    }
}
