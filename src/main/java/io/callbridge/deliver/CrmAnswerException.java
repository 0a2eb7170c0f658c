package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** What a CRM answered, and that it is no success. */
@RegisterForReflection
public class CrmAnswerException extends Exception {

    private final Integer status;
    private final String answer;
    private final long retryAfterMs;
    private final String refusal;

    /**
     * @param status of HTTP, {@code null}: unknown
     * @param answer its body
     * @param retryAfterMs how long the CRM asks to be left alone; 0: it does not ask
     * @param refusal why it takes nothing of Callbridge, see {@link Failures#refusal}; {@code null}: it does not refuse all
     */
    CrmAnswerException(Integer status, String answer, long retryAfterMs, String refusal) {
        super("answer " + status + ": " + answer);
        this.status = status;
        this.answer = answer;
        this.retryAfterMs = retryAfterMs;
        this.refusal = refusal;
    }

    public Integer status() {
        return status;
    }

    public String answer() {
        return answer;
    }

    public long retryAfterMs() {
        return retryAfterMs;
    }

    public String refusal() {
        return refusal;
    }
}
