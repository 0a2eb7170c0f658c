package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** A CRM refused for good: to ask again would give the same answer. Routes tell it by its name, whatever it is wrapped in. */
@RegisterForReflection
public class CrmRefusedException extends CrmAnswerException {

    CrmRefusedException(Integer status, String answer) {
        super(status, answer, "answer " + status, 0, null);
    }
}
