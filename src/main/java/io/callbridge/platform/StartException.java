package io.callbridge.platform;

/** The start is refused. The message is one line: what, where, and what is allowed. */
public class StartException extends RuntimeException {

    /** {@code null}: it is about no place in a route. */
    private final transient Problem problem;

    public StartException(String message) {
        this(message, null);
    }

    public StartException(Problem problem) {
        super(problem.toString());
        this.problem = problem;
    }

    public StartException(String message, Throwable cause) {
        super(message, cause);
        problem = null;
    }

    /** What is wrong, and where. */
    Problem problem() {
        return problem != null ? problem : new Problem(null, 0, getMessage());
    }
}
