package com.example.shop;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;

/** The whole port over a plain map: values as they are, one map for each region, rights that the map itself compares. */
final class MapBackend implements Backend {
    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        return new MapPartition<>(opening.time());
    }

    private static final class MapPartition<V> implements Partition<V> {
        private final ConcurrentMap<Object, Entry> entries = new ConcurrentHashMap<>();
        private final AtomicLong numbers = new AtomicLong();
        private final TimeSource time;

        MapPartition(TimeSource time) {
            this.time = time;
        }

        @Override
        public Slot<V> slot(Object key) {
            return new Slot<>() {
                @Override
                public Seen<V> read() {
                    return new Sight(key, entries.get(key));
                }

                @Override
                public boolean readsFree() {
                    return true;
                }
            };
        }

        @Override
        public void put(Object key, Slot.Draft<V> draft) {
            entries.put(key, entry(draft));
        }

        private Entry entry(Slot.Draft<V> draft) {
            long now = time.nanos();
            return new Entry(
                    draft,
                    now,
                    Slot.deadline(now, draft.staleAfter()),
                    Slot.deadline(now, draft.expireAfter()),
                    time.instant(),
                    numbers.incrementAndGet(),
                    null);
        }

        @Override
        public void invalidate(Object key, Invalidation how) {
            entries.computeIfPresent(key, (same, entry) -> how == Invalidation.HARD ? null : entry.stale());
        }

        @Override
        public void invalidateAll(Invalidation how) {
            entries.keySet().forEach(key -> invalidate(key, how));
        }

        /** A value, or none, and who may create its successor. */
        private final class Entry {
            private final Slot.Draft<V> draft; // null if there is no value
            private final long bornAt;
            private final long freshUntil;
            private final long usableUntil;
            private final Instant createdAt;
            private final long version;
            private final Right creator; // null if nobody

            Entry(
                    Slot.Draft<V> draft,
                    long bornAt,
                    long freshUntil,
                    long usableUntil,
                    Instant createdAt,
                    long version,
                    Right creator) {
                this.draft = draft;
                this.bornAt = bornAt;
                this.freshUntil = freshUntil;
                this.usableUntil = usableUntil;
                this.createdAt = createdAt;
                this.version = version;
                this.creator = creator;
            }

            /** Declared stale; who creates loses the right. */
            Entry stale() {
                return draft == null
                        ? null
                        : new Entry(draft, bornAt, Long.MIN_VALUE, usableUntil, createdAt, version, null);
            }

            Entry with(Right other) {
                return draft == null && other == null
                        ? null
                        : new Entry(draft, bornAt, freshUntil, usableUntil, createdAt, version, other);
            }
        }

        private Entry nothing() {
            return new Entry(null, Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE, Instant.EPOCH, 0, null);
        }

        private final class Sight implements Slot.Seen<V> {
            private final Object key;
            private final Entry entry;

            Sight(Object key, Entry entry) {
                this.key = key;
                this.entry = entry == null ? nothing() : entry;
            }

            @Override
            public boolean present() {
                return entry.draft != null;
            }

            @Override
            public V value() {
                return entry.draft == null ? null : entry.draft.value();
            }

            @Override
            public long freshUntil() {
                return entry.freshUntil;
            }

            @Override
            public long usableUntil() {
                return entry.usableUntil;
            }

            @Override
            public long bornAt() {
                return entry.bornAt;
            }

            @Override
            public long costNanos() {
                return entry.draft == null ? 0 : entry.draft.cost().toNanos();
            }

            @Override
            public long version() {
                return entry.version;
            }

            @Override
            public Instant createdAt() {
                return entry.createdAt;
            }

            /** Takes the right over; among the callers of one JVM the region itself sees to it that one creates. */
            @Override
            public Slot.Claim<V> claim(Slot.Wish wish) {
                Right right = new Right(key, entry.version);
                Entry now = entries.compute(key, (same, before) -> (before == null ? nothing() : before).with(right));
                return Slot.Claim.granted(right, new Sight(key, now));
            }
        }

        private final class Right implements Slot.Grant<V> {
            private final Object key;
            private final long seenVersion;
            private final long token = numbers.incrementAndGet();

            Right(Object key, long seenVersion) {
                this.key = key;
                this.seenVersion = seenVersion;
            }

            @Override
            public long fencingToken() {
                return token;
            }

            @Override
            public boolean renew() {
                Entry entry = entries.get(key);
                return entry != null && entry.creator == this;
            }

            @Override
            public Slot.Published<V> publish(Slot.Draft<V> draft) {
                Entry stored = draft.keep() ? entry(draft) : null;
                boolean[] held = new boolean[1];
                entries.computeIfPresent(key, (same, before) -> {
                    held[0] = before.creator == this;
                    return !held[0] ? before : stored != null ? stored : before.with(null);
                });
                if (held[0]) {
                    return new Slot.Published<>(
                            Slot.Published.Outcome.STORED, stored == null ? null : new Sight(key, stored));
                }
                Sight now = new Sight(key, entries.get(key));
                return now.present() && now.version() != seenVersion
                        ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, now)
                        : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
            }

            @Override
            public void abandon(Throwable cause) {
                entries.computeIfPresent(key, (same, before) -> before.creator == this ? before.with(null) : before);
            }
        }
    }
}
