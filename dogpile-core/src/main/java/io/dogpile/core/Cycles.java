package io.dogpile.core;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Refuses a wait that would close a cycle of names in this JVM: each run knows the flight that its creator waits for,
 * and each flight the run that creates it. Only creators that ask for other names come here.
 */
final class Cycles {
    /** Over all waits of creators, so that of two who close a cycle at once exactly one is refused. */
    private static final ReentrantLock LOCK = new ReentrantLock();

    private Cycles() {}

    /** The run's creator is about to wait for the flight. */
    static void waits(@Nullable CreationRun<?> run, Flight<?> flight) {
        if (run == null) {
            return;
        }
        List<Object> chain = new ArrayList<>(List.of(run.flight().name()));
        LOCK.lock();
        try {
            for (Flight<?> next = flight; next != null; ) {
                chain.add(next.name());
                CreationRun<?> creating = next.run();
                if (creating == run) {
                    break;
                }
                next = creating == null ? null : creating.waitsFor;
                if (next == null) {
                    run.waitsFor = flight;
                    return;
                }
            }
        } finally {
            LOCK.unlock();
        }
        throw new IllegalStateException("A cycle of creations: each waits for the next ("
                + chain.stream().map(Names::render).collect(Collectors.joining(" -> "))
                + "); let the creators ask for each other's names in one order only");
    }

    /** The run's creator waits no more. */
    static void waitsNoMore(@Nullable CreationRun<?> run) {
        if (run == null) {
            return;
        }
        LOCK.lock();
        try {
            run.waitsFor = null;
        } finally {
            LOCK.unlock();
        }
    }
}
