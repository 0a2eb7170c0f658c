package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** A CRM refused for good: to ask again would give the same answer. */
@RegisterForReflection
public class CrmRefusedException extends CrmAnswerException {

    CrmRefusedException(Integer status, String answer) {
        super(status, answer, 0, null);
    }
}
