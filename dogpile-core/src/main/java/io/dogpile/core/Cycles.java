package io.dogpile.core;

import java.util.ArrayList;
import java.util.Collections;
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
        List<Object> chain = new ArrayList<>();
        LOCK.lock();
        try {
            if (!leadsTo(run, flight, chain)) {
                run.waitsFor.add(flight);
                return;
            }
        } finally {
            LOCK.unlock();
        }
        chain.add(run.name());
        Collections.reverse(chain);
        throw new IllegalStateException("A cycle of creations: each waits for the next ("
                + chain.stream().map(Names::render).collect(Collectors.joining(" -> "))
                + "); let the creators ask for each other's names in one order only");
    }

    /** Whether whoever waits for the flight waits, by way of others, for the run; then the way, backwards, in chain. */
    private static boolean leadsTo(CreationRun<?> run, Flight<?> flight, List<Object> chain) {
        // Nobody waits for a flight that has landed, such as that of an overdue creation, though its run goes on.
        CreationRun<?> creating = flight.landing() == null ? flight.run() : null;
        boolean leads = creating == run;
        if (creating != null && !leads) {
            for (Flight<?> next : creating.waitsFor) {
                if (leadsTo(run, next, chain)) {
                    leads = true;
                    break;
                }
            }
        }
        if (leads) {
            chain.add(flight.name());
        }
        return leads;
    }

    /** The run's creator waits no more. */
    static void waitsNoMore(@Nullable CreationRun<?> run) {
        if (run == null) {
            return;
        }
        LOCK.lock();
        try {
            run.waitsFor.clear();
        } finally {
            LOCK.unlock();
        }
    }
}
