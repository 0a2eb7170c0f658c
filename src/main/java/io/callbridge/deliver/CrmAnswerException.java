package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** A request to a CRM was no success: what came of it, and what that means; see {@link CrmAnswer}. */
@RegisterForReflection
public class CrmAnswerException extends Exception {

    public final Integer status;
    public final String answer;
    public final long retryAfterMs;
    public final String refusal;
    final String line;

    /**
     * Has no cause on purpose: Camel would look for the one that handles it.
     *
     * @param status of HTTP, {@code null}: none came, or it was the answer to another request than the delivery's
     * @param answer its body; without an answer, what happened instead
     * @param line what the log may say
     * @param retryAfterMs how long the CRM asks to be left alone; 0: it does not ask
     * @param refusal why it takes nothing of Callbridge, for the log; {@code null}: it does not refuse all
     */
    CrmAnswerException(Integer status, String answer, String line, long retryAfterMs, String refusal) {
        super(status == null ? answer : "answer " + status + ": " + answer);
        this.status = status;
        this.answer = answer;
        this.line = line;
        this.retryAfterMs = retryAfterMs;
        this.refusal = refusal;
    }
}
