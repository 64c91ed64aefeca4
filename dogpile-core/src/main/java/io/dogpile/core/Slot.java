package io.dogpile.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The port to where one value lives and where the right to create it is granted.
 *
 * <p>What was seen does the claiming, and a right is an object: a store puts its own fence, cas ids, nonce or file lock
 * into its {@link Seen} and {@link Grant}, and nobody casts. A slot is stateless and thread-safe; each verb costs at most
 * one round trip; none waits for a creation, and none is called under a lock. A verb that throws says "not known": the
 * caller follows its {@code whenDown} policy.
 *
 * <p>Times in this port are nanoseconds of the lock's {@link TimeSource#nanos()}: a slot that shares stamps with other
 * machines turns server time into this JVM's monotonic deadlines when it builds the {@link Seen}, so that freshness is
 * one comparison everywhere and a jump of the wall clock cannot age a value.
 *
 * @param <V> the type of the value
 */
public interface Slot<V> {
    /** The deadline that never comes, in nanoseconds. */
    long NEVER = Long.MAX_VALUE;

    /**
     * The end of a life, for a slot that builds its {@link Seen}.
     *
     * @param from when the life began, in nanoseconds of the {@link TimeSource}
     * @param life how long it lasts; not negative
     * @return the last nanosecond of it; {@link #NEVER} if it is too long for the clock
     */
    static long deadline(long from, Duration life) {
        return Stored.deadline(from, Stored.nanos(life));
    }

    /**
     * Reads the value.
     *
     * @return what is there
     * @throws Exception if it is not known what is there
     */
    Seen<V> read() throws Exception;

    /**
     * Whether a read is cheap enough for each caller to do its own before it joins others: no round trip.
     *
     * @return false if a read should be shared by all callers of this JVM, which is the default
     */
    default boolean readsFree() {
        return false;
    }

    /**
     * Asks to be told when the value changes. Nothing is promised: the callers' own timers are always armed.
     *
     * @param changed called from any thread with the new value where it was pushed, or with null for "look again"
     * @return ends the watch when closed
     */
    default Watch watch(Consumer<@Nullable Seen<V>> changed) {
        return Watch.NONE;
    }

    /** A registration that {@link Slot#watch} made. */
    interface Watch extends AutoCloseable {
        /** A watch that never tells anything. */
        Watch NONE = () -> {};

        /**
         * Whether changes are known to be pushed now, so that a slow safety poll is enough.
         *
         * @return false if only polling will find a change
         */
        default boolean live() {
            return false;
        }

        @Override
        void close();
    }

    /**
     * What a store held at one moment; immutable. In memory this is the stored object itself, so that a hit allocates
     * nothing.
     *
     * @param <V> the type of the value
     */
    interface Seen<V> {
        /**
         * Whether there is a value.
         *
         * @return false if the slot was empty
         */
        boolean present();

        /**
         * The value.
         *
         * @return the value, which may be null; null if absent
         */
        @Nullable
        V value();

        /**
         * Until when the value is fresh.
         *
         * @return the last nanosecond of its freshness; {@link Long#MIN_VALUE} if absent, or if it was declared stale:
         *     then no caller's own limit of age makes it fresh again, but {@link Slot#NEVER}
         */
        long freshUntil();

        /**
         * Until when the value may be served at all.
         *
         * @return the last nanosecond before it is expired; {@link Long#MIN_VALUE} if absent
         */
        long usableUntil();

        /**
         * When the value was created.
         *
         * @return the nanosecond at which its creator returned; may lie before the origin of time
         */
        long bornAt();

        /**
         * What the value cost to create.
         *
         * @return the time that the creator took, in nanoseconds; 0 if not known
         */
        default long costNanos() {
            return 0;
        }

        /**
         * Whether the store knows of a creation that is under way.
         *
         * @return false if there is none, or the store does not tell
         */
        default boolean creating() {
            return false;
        }

        /**
         * Tells two values of this slot apart.
         *
         * @return a number that is different for each stored value
         */
        long version();

        /**
         * When the value was created, for users and other machines.
         *
         * @return the wall-clock time at which its creator returned; {@link Instant#EPOCH} if absent
         */
        Instant createdAt();

        /**
         * Whether the value is fresh; an age equal to the limit still is.
         *
         * @param nanos now
         * @return whether there is a value and it is fresh
         */
        default boolean fresh(long nanos) {
            return nanos <= freshUntil();
        }

        /**
         * Whether the value may be served, fresh or stale.
         *
         * @param nanos now
         * @return whether there is a value and it is not expired
         */
        default boolean usable(long nanos) {
            return nanos <= usableUntil();
        }

        /**
         * Asks for the right to create the successor of what was seen.
         *
         * @param wish what the caller wants
         * @return whether it was granted
         * @throws Exception if it is not known whether it was granted
         */
        Claim<V> claim(Wish wish) throws Exception;
    }

    /**
     * What a claim is for.
     *
     * @param reason why a new value is wanted
     * @param maxAgeNanos the caller's own limit of age, counted from the storing; {@link Slot#NEVER} if it has none
     * @param willWait whether the caller waits if it is refused, so that a store may note whom to wake
     * @param undisturbed whether this JVM published nothing since the read that the claim is made on; with a lock that
     *     only this JVM uses, a second look is then not needed
     */
    record Wish(Reason reason, long maxAgeNanos, boolean willWait, boolean undisturbed) {
        /** Why a new value is wanted. */
        public enum Reason {
            /** There is no value that is fresh for the caller. */
            NEEDED,
            /** The value is fresh and was drawn for early refresh. */
            EARLY,
            /** A value newer than the one that was seen is demanded. */
            REFRESH
        }
    }

    /**
     * The answer to a claim.
     *
     * @param <V> the type of the value
     */
    final class Claim<V> {
        /** What was answered. */
        public enum Kind {
            /** The right is the caller's. */
            GRANTED,
            /** Somebody else has it. */
            HELD,
            /** There is a value that will do. */
            NOT_NEEDED,
            /** Creations failed, and the store asks to try later. */
            BACKING_OFF
        }

        private final Kind kind;
        private final @Nullable Seen<V> seen;
        private final @Nullable Grant<V> grant;
        private final Duration left;
        private final @Nullable String why;

        private Claim(
                Kind kind, @Nullable Seen<V> seen, @Nullable Grant<V> grant, Duration left, @Nullable String why) {
            this.kind = kind;
            this.seen = seen;
            this.grant = grant;
            this.left = left;
            this.why = why;
        }

        /**
         * Granted, without a look at the value under the right: the caller will look again before it creates.
         *
         * @param <V> the type of the value
         * @param grant the right
         * @return the claim
         */
        public static <V> Claim<V> granted(Grant<V> grant) {
            return new Claim<>(Kind.GRANTED, null, Objects.requireNonNull(grant), Duration.ZERO, null);
        }

        /**
         * Granted, and this is what the slot holds under the right.
         *
         * @param <V> the type of the value
         * @param grant the right
         * @param seen what was seen under it
         * @return the claim
         */
        public static <V> Claim<V> granted(Grant<V> grant, Seen<V> seen) {
            return new Claim<>(
                    Kind.GRANTED, Objects.requireNonNull(seen), Objects.requireNonNull(grant), Duration.ZERO, null);
        }

        /**
         * Held by another.
         *
         * @param <V> the type of the value
         * @param left how long the other's lease lasts if nobody renews it; zero if not known
         * @param seen what the slot holds meanwhile, or null if the store did not look
         * @return the claim
         */
        public static <V> Claim<V> held(Duration left, @Nullable Seen<V> seen) {
            return new Claim<>(Kind.HELD, seen, null, left, null);
        }

        /**
         * Not needed: there is a value that satisfies the wish.
         *
         * @param <V> the type of the value
         * @param seen the value
         * @return the claim
         */
        public static <V> Claim<V> notNeeded(Seen<V> seen) {
            return new Claim<>(Kind.NOT_NEEDED, Objects.requireNonNull(seen), null, Duration.ZERO, null);
        }

        /**
         * Refused, because creations failed in a row.
         *
         * @param <V> the type of the value
         * @param left how long the back-off lasts
         * @param why the recorded text of the last failure
         * @return the claim
         */
        public static <V> Claim<V> backingOff(Duration left, String why) {
            return backingOff(left, why, null);
        }

        /**
         * Refused, because creations failed in a row, with a look at what there is meanwhile.
         *
         * @param <V> the type of the value
         * @param left how long the back-off lasts
         * @param why the recorded text of the last failure
         * @param seen what the slot holds, or null if the store did not look
         * @return the claim
         */
        public static <V> Claim<V> backingOff(Duration left, String why, @Nullable Seen<V> seen) {
            return new Claim<>(Kind.BACKING_OFF, seen, null, left, Objects.requireNonNull(why));
        }

        /**
         * The same answer, as one who stands before the store gives it.
         *
         * @param seenAs turns what the store saw into what is shown; not called if it did not look
         * @param grantedAs turns the store's right into the one that is handed out; not called if none was granted, and
         *     after the other
         * @return the answer
         */
        public Claim<V> with(UnaryOperator<Seen<V>> seenAs, UnaryOperator<Grant<V>> grantedAs) {
            Seen<V> shown = seen == null ? null : seenAs.apply(seen);
            return new Claim<>(kind, shown, grant == null ? null : grantedAs.apply(grant), left, why);
        }

        /**
         * What was answered.
         *
         * @return the kind
         */
        public Kind kind() {
            return kind;
        }

        /**
         * What the store saw as it answered.
         *
         * @return the value, or null if the store did not look
         */
        public @Nullable Seen<V> seen() {
            return seen;
        }

        /**
         * The right.
         *
         * @return the right
         * @throws IllegalStateException if it was not granted
         */
        public Grant<V> grant() {
            if (grant == null) {
                throw new IllegalStateException("no right was granted: " + kind);
            }
            return grant;
        }

        /**
         * How long the other's lease, or the back-off, lasts.
         *
         * @return the time left; zero if not known or without meaning
         */
        public Duration left() {
            return left;
        }

        /**
         * The recorded text of the failure that led to a back-off.
         *
         * @return the text, or an empty one
         */
        public String why() {
            return why == null ? "" : why;
        }

        @Override
        public String toString() {
            return kind + (left.isZero() ? "" : ", " + left + " left");
        }
    }

    /**
     * The right to create the value once. Thread-safe; ended by {@link #publish} or {@link #abandon}.
     *
     * @param <V> the type of the value
     */
    interface Grant<V> {
        /**
         * The number of this right, which grows with each grant of the name.
         *
         * @return the token, or 0 if grants are not numbered
         */
        long fencingToken();

        /**
         * For how long the right lasts unless it is renewed.
         *
         * @return the time of its lease; zero if it does not end by time
         */
        default Duration lease() {
            return Duration.ZERO;
        }

        /**
         * Makes the right last for another lease.
         *
         * @return false if it is lost
         * @throws Exception if it is not known whether it was renewed
         */
        boolean renew() throws Exception;

        /**
         * Stores the value and ends the right, unless the right is no longer the caller's.
         *
         * @param draft the value and how long it lives
         * @return what became of it
         * @throws Exception if the store failed; taken as {@link Published.Outcome#UNKNOWN}
         */
        Published<V> publish(Draft<V> draft) throws Exception;

        /**
         * Gives the right back without a value.
         *
         * @param cause what the creator threw, or null if no creator ran
         * @throws Exception if it is not known whether the right was given back
         */
        void abandon(@Nullable Throwable cause) throws Exception;
    }

    /**
     * A created value on its way to the store.
     *
     * @param <V> the type of the value
     * @param value the value; may be null
     * @param staleAfter how long it is fresh
     * @param expireAfter how long it may be served; not shorter than {@code staleAfter}
     * @param cost how long its creator took
     * @param keep false to hand it to those who wait and store nothing
     */
    record Draft<V>(V value, Duration staleAfter, Duration expireAfter, Duration cost, boolean keep) {}

    /**
     * What became of a draft.
     *
     * @param <V> the type of the value
     * @param outcome whether it was stored
     * @param seen the value as stored: the draft's, or the successor's where it was superseded; null if not known
     * @param trouble what went wrong beside, such as a right that could not be given back; null if nothing
     */
    record Published<V>(
            Outcome outcome,
            @Nullable Seen<V> seen,
            @Nullable Throwable trouble) {
        /**
         * Nothing went wrong beside.
         *
         * @param outcome whether it was stored
         * @param seen the value as stored; null if not known
         */
        public Published(Outcome outcome, @Nullable Seen<V> seen) {
            this(outcome, seen, null);
        }

        /** Whether a draft was stored. */
        public enum Outcome {
            /** It was stored, or handed on where it was not to be kept. */
            STORED,
            /** It was refused: another value was stored since the right was granted. */
            SUPERSEDED,
            /** It was refused: the name was invalidated, or the right was lost, since it was granted. */
            VOIDED,
            /** It is not known whether it was stored: the write failed or timed out. */
            UNKNOWN
        }
    }
}
