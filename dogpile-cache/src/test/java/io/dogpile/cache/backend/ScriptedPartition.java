package io.dogpile.cache.backend;

import io.dogpile.core.Forwarding;
import io.dogpile.core.Slot;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A partition in memory that is no free read, as one in another process; pushes by hand, and lets tests step in. */
final class ScriptedPartition<V> implements Partition<V> {
    interface Step {
        void run() throws Exception;
    }

    final MemoryPartition<V> memory;
    final List<Consumer<@Nullable String>> watchers = new CopyOnWriteArrayList<>();
    final List<Consumer<Slot.@Nullable Seen<V>>> slotWatchers = new CopyOnWriteArrayList<>();
    final List<String> calls = new CopyOnWriteArrayList<>();
    volatile Step afterRead = () -> {};
    volatile Step afterPublish = () -> {};
    volatile Exception failing;
    volatile boolean closed;
    volatile boolean live;
    volatile Slot.@Nullable Claim<V> answer;

    ScriptedPartition(Opening<V> opening) {
        memory = MemoryBackend.create().partition(opening.byReference());
    }

    /** A backend that opens this one. */
    Backend backend() {
        return new Backend() {
            @Override
            @SuppressWarnings("unchecked") // opened by its own test
            public <W> Partition<W> open(Opening<W> opening) {
                return (Partition<W>) ScriptedPartition.this;
            }

            @Override
            public String toString() {
                return "scripted";
            }
        };
    }

    void push(@Nullable String text) {
        watchers.forEach(watcher -> watcher.accept(text));
    }

    private void called(String call) throws Exception {
        calls.add(call);
        if (failing != null) {
            throw failing;
        }
    }

    @Override
    public Slot<V> slot(Object key) {
        return new Slot<>() {
            @Override
            public Seen<V> read() throws Exception {
                called("read");
                Seen<V> seen = memory.slot(key).read();
                afterRead.run();
                return sight(seen);
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                slotWatchers.add(changed);
                return () -> slotWatchers.remove(changed);
            }
        };
    }

    private Slot.Seen<V> sight(Slot.Seen<V> seen) {
        return new Forwarding.Seen<>(seen) {
            @Override
            public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
                called("claim" + (wish.undisturbed() ? " undisturbed" : ""));
                if (answer != null) {
                    return answer;
                }
                Slot.Claim<V> claim = inner.claim(wish);
                Slot.Grant<V> right = claim.grant();
                return Slot.Claim.granted(
                        new Slot.Grant<>() {
                            @Override
                            public long fencingToken() {
                                return right.fencingToken();
                            }

                            @Override
                            public boolean renew() throws Exception {
                                called("renew");
                                return right.renew();
                            }

                            @Override
                            public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
                                called("publish");
                                Slot.Published<V> published = right.publish(draft);
                                afterPublish.run();
                                return published;
                            }

                            @Override
                            public void abandon(@Nullable Throwable cause) throws Exception {
                                called("abandon");
                                right.abandon(cause);
                            }
                        },
                        sight(claim.seen()));
            }
        };
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        called("put");
        memory.put(key, draft);
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        called("putAll");
        Partition.super.putAll(drafts);
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        called("invalidate");
        memory.invalidate(key, how);
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
        called("invalidateAll(keys)");
        Partition.super.invalidateAll(keys, how);
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        called("invalidateAll");
        memory.invalidateAll(how);
    }

    @Override
    public Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        watchers.add(changed);
        return new Slot.Watch() {
            @Override
            public boolean live() {
                return live;
            }

            @Override
            public void close() {
                watchers.remove(changed);
            }
        };
    }

    /** As a back whose pushes begin or cease to arrive, and which knows. */
    void goesLive(boolean now) {
        live = now;
        push(null);
    }

    @Override
    public void close() {
        closed = true;
    }
}
