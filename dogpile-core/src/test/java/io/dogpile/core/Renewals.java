package io.dogpile.core;

import java.util.concurrent.Executor;

/** Lets tests of other modules say where leases are renewed. */
public final class Renewals {
    private Renewals() {}

    /** The executor renews them, instead of threads that all locks share. */
    public static <V> DogpileLock.Builder<V> on(DogpileLock.Builder<V> options, Executor executor) {
        return options.renewOn(executor);
    }
}
