package io.callbridge.platform;

import java.util.concurrent.CompletableFuture;

/** Who of several replicas does what only one may do. */
public interface Leases {

    /** Whether there may be others; without them nobody has to ask for a lease. */
    boolean needed();

    /**
     * Takes a lease that is free, has run out or is the holder's own. Does not wait.
     *
     * @param ms how long it is valid, from a moment after this call
     * @return whether the holder has it now; fails, and in any case ends, when that cannot be found out
     */
    CompletableFuture<Boolean> take(String name, String holder, long ms);

    /** Gives a lease back, if it is the holder's. Does not wait. @return whether it was; fails as {@link #take} does */
    CompletableFuture<Boolean> giveBack(String name, String holder);
}
