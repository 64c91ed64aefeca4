package io.dogpile.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A value that the caller keeps with its creation time: the user's getter reads the pair, the user's creator stores it.
 * Lives for one call. Ages come from the stamps, which another process may have made: a stamp that lies ahead of this
 * clock by at most {@link #MOST_SKEW} counts as now, one further ahead as stale, so that no bad clock pins a value.
 */
final class StampedStore<V> implements Store<V> {
    private static final Duration MOST_SKEW = Duration.ofMinutes(1);
    private static final Duration JUST_STALE = Duration.ofNanos(1);

    private final Object name;
    private final Callable<Optional<Stamped<V>>> getter;
    private final Options<V> options;
    private final Consumer<Stored<V>> known;
    private volatile @Nullable Instant created;

    /** {@code known} is told of each value that is read or written. */
    StampedStore(Object name, Callable<Optional<Stamped<V>>> getter, Options<V> options, Consumer<Stored<V>> known) {
        this.name = name;
        this.getter = Objects.requireNonNull(getter, "getter");
        this.options = options;
        this.known = known;
    }

    /** The creator for this store: remembers the stamp that goes with the value. */
    Creator<V> stamping(Creator<Stamped<V>> creator) {
        return () -> {
            Stamped<V> stamped = creator.create();
            Objects.requireNonNull(stamped, "The creator must return a value with its creation time, not null");
            created = stamped.createdAt();
            return stamped.value();
        };
    }

    @Override
    public Stored<V> read() throws Exception {
        Optional<Stamped<V>> stamped = getter.call();
        Objects.requireNonNull(stamped, "The getter must return Optional.empty() for 'not available', not null");
        return stamped.map(this::stored).orElseGet(() -> Stored.absent(0));
    }

    @Override
    public Stored<V> write(Slot.Draft<V> draft, long begun) {
        Instant stamp = created;
        return stored(
                new Stamped<>(draft.value(), stamp == null ? options.time().instant() : stamp));
    }

    @Override
    public boolean isOwn(Stored<V> stored) {
        Instant own = created;
        return own != null && stored.version == versionOf(own);
    }

    private Stored<V> stored(Stamped<V> stamped) {
        Instant createdAt = stamped.createdAt();
        Duration age = Duration.between(createdAt, options.time().instant());
        Slot.Draft<V> draft = options.draft(name, stamped.value(), 0);
        boolean isBelieved = age.compareTo(MOST_SKEW.negated()) >= 0;
        if (!isBelieved) {
            options.told().stampFromTheFuture(name, age.negated());
            draft = new Slot.Draft<>(draft.value(), Duration.ZERO, draft.expireAfter(), draft.cost(), draft.keep());
            age = JUST_STALE.plusNanos(options.maxAge() == Slot.NEVER ? 0 : Math.max(0, options.maxAge()));
        }
        long ageNanos = age.isNegative() ? 0 : Stored.nanos(age);
        long bornAt = options.time().nanos() - ageNanos;
        Stored<V> stored = Stored.of(draft, bornAt, createdAt, versionOf(createdAt));
        if (isBelieved) {
            known.accept(stored);
        }
        return stored;
    }

    /** A hash would do for most, but two stamps that lie a second apart may share theirs. Zero is the absent one's. */
    private static long versionOf(Instant createdAt) {
        long version = createdAt.getEpochSecond() * 1_000_000_000L + createdAt.getNano();
        return version == 0 ? 1 : version;
    }
}
