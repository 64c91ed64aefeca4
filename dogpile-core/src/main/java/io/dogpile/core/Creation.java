package io.dogpile.core;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The creation that runs on the current thread, for a creator that wants to know more about it.
 *
 * <pre>{@code
 * Creation.current().ifPresent(creation -> store.write(value, creation.fencingToken()));
 * }</pre>
 *
 * <p>Bound to the thread on which the creator was called; a creator that goes on in other threads hands the object over
 * itself. Thread-safe.
 */
public final class Creation {
    private static final ThreadLocal<@Nullable Creation> CURRENT = new ThreadLocal<>();

    private final CreationRun<?> run;
    private final Object name;
    private final long fencingToken;
    private final Instant deadline;
    private volatile boolean leaseLost;
    private @Nullable Creation outer; // written before the creator is called, by the thread that calls it

    Creation(CreationRun<?> run, Object name, long fencingToken, Instant deadline) {
        this.run = run;
        this.name = name;
        this.fencingToken = fencingToken;
        this.deadline = deadline;
    }

    /**
     * The innermost creation that the current thread runs.
     *
     * @return the creation, or empty outside of a creator
     */
    public static Optional<Creation> current() {
        return Optional.ofNullable(CURRENT.get());
    }

    /** The run that the current thread is in the creator of, or null. */
    static @Nullable CreationRun<?> currentRun() {
        Creation creation = CURRENT.get();
        return creation == null ? null : creation.run;
    }

    /**
     * The name that is created.
     *
     * @return the name, or the set of names where one creator makes several
     */
    public Object name() {
        return name;
    }

    /**
     * The number of the right under which the value is created, which grows with each grant of the name.
     *
     * @return the token, or 0 if the lock does not number its grants, or several names are created at once
     */
    public long fencingToken() {
        return fencingToken;
    }

    /**
     * When the name stops being this creation's: {@code maxCreation} after its start. The creator is not stopped then,
     * but another may be elected, and what this one makes may be refused by the store.
     *
     * @return the wall-clock time
     */
    public Instant deadline() {
        return deadline;
    }

    /**
     * Whether the right was lost meanwhile: its lease ended, or {@code maxCreation} did. A creator with side effects
     * should stop.
     *
     * @return whether another may be creating the same name
     */
    public boolean isLeaseLost() {
        return leaseLost;
    }

    void loseLease() {
        leaseLost = true;
    }

    /** Binds this creation to the current thread until {@link #end}. */
    void begin() {
        outer = CURRENT.get();
        CURRENT.set(this);
    }

    void end() {
        if (outer == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(outer);
        }
    }

    /** Refuses a call for a name that the current thread is creating already: it would wait for itself. */
    static void refuseRecursion(Flights<?> flights, Object name, Told told) {
        for (Creation creation = CURRENT.get(); creation != null; creation = creation.outer) {
            if (creation.run.creates(flights, name)) {
                throw new IllegalStateException("Recursive creation: the creator of " + told.render(name)
                        + " asked for its own name (" + chainTo(name) + "); let it ask for other names only");
            }
        }
    }

    private static String chainTo(Object name) {
        StringBuilder chain = new StringBuilder(Names.render(name));
        for (Creation creation = CURRENT.get(); creation != null; creation = creation.outer) {
            chain.insert(0, Names.render(creation.name) + " -> ");
        }
        return chain.toString();
    }

    @Override
    public String toString() {
        return "Creation of '" + Names.render(name) + "'";
    }
}
