package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.callbridge.store.StoreException;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.http.base.HttpOperationFailedException;

/**
 * What the log says of a failure on the way to a CRM: what an operator needs, and nothing that the CRM has said, which may repeat
 * names and secrets of the call. All of that is kept with the try of the delivery.
 */
final class Failures {

    private Failures() {
    }

    /** The same for a request that is about no call: what the CRM said then, too, but not the address, which may hold a secret. */
    static String said(Throwable failure) {
        return failure instanceof HttpOperationFailedException ? line(failure) : failure.getMessage();
    }

    static String line(Throwable failure) {
        if (failure instanceof HttpOperationFailedException http) {
            return "answer " + http.getStatusCode();
        } else if (failure instanceof CrmAnswerException answer) {
            return "answer " + answer.status();
        } else if (failure instanceof LookupException lookup) {
            return lookup.line();
        } else if (failure instanceof JsonProcessingException) {
            return "an answer that is not the JSON that was expected";
        } else if (failure instanceof StoreException) {
            return failure.getMessage();
        } else if (failure instanceof IOException) {
            // Of the network: who could not be reached, and why.
            return failure.toString();
        } else if ((failure instanceof CompletionException || failure instanceof CamelExecutionException) && failure.getCause() != null) {
            return line(failure.getCause());
        }
        return failure.getClass().getName();
    }
}
