package io.dogpile.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What stands before another slot, and changes of it only what it overrides: to watch a store, to lock it, to copy it.
 * {@link Slot.Claim#with} does the same for the answer to a claim.
 */
public final class Forwarding {
    private Forwarding() {}

    /**
     * What another slot saw. Whoever stands before that slot has a say in the claim.
     *
     * @param <V> the type of the value
     */
    public abstract static class Seen<V> implements Slot.Seen<V> {
        /** What was seen. */
        protected final Slot.Seen<V> inner;

        /**
         * Forwards all but the claim.
         *
         * @param inner what was seen
         */
        protected Seen(Slot.Seen<V> inner) {
            this.inner = Objects.requireNonNull(inner, "inner");
        }

        @Override
        public boolean present() {
            return inner.present();
        }

        @Override
        public @Nullable V value() {
            return inner.value();
        }

        @Override
        public long freshUntil() {
            return inner.freshUntil();
        }

        @Override
        public long usableUntil() {
            return inner.usableUntil();
        }

        @Override
        public long bornAt() {
            return inner.bornAt();
        }

        @Override
        public long costNanos() {
            return inner.costNanos();
        }

        @Override
        public boolean creating() {
            return inner.creating();
        }

        @Override
        public long version() {
            return inner.version();
        }

        @Override
        public Instant createdAt() {
            return inner.createdAt();
        }

        @Override
        public boolean fresh(long nanos) {
            return inner.fresh(nanos);
        }

        @Override
        public boolean usable(long nanos) {
            return inner.usable(nanos);
        }
    }

    /**
     * A right that another slot granted.
     *
     * @param <V> the type of the value
     */
    public abstract static class Grant<V> implements Slot.Grant<V> {
        /** What was granted. */
        protected final Slot.Grant<V> inner;

        /**
         * Forwards all but the publication.
         *
         * @param inner what was granted
         */
        protected Grant(Slot.Grant<V> inner) {
            this.inner = Objects.requireNonNull(inner, "inner");
        }

        @Override
        public long fencingToken() {
            return inner.fencingToken();
        }

        @Override
        public Duration lease() {
            return inner.lease();
        }

        @Override
        public boolean renew() throws Exception {
            return inner.renew();
        }

        @Override
        public void abandon(@Nullable Throwable cause) throws Exception {
            inner.abandon(cause);
        }
    }
}
