package io.callbridge.process;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Named;
import java.util.concurrent.ExecutorService;
import org.apache.camel.util.concurrent.SynchronousExecutorService;

/**
 * Lets the aggregator go on in the thread that brought the completing event. By default completed groups leave on one
 * thread for all, which would both be slow and run beside the commit of the effects.
 */
@ApplicationScoped
public class CallerThread {

    @Produces
    @Named("callerThread")
    @ApplicationScoped
    ExecutorService executor() {
        return new SynchronousExecutorService();
    }
}
