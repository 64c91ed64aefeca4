package io.dogpile.cache.file;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Slot;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in files, one for each key.
 *
 * <p>Each write of a file gives it another fence, and a right to create is good as long as the fence is the one that was seen
 * when it was granted, and the region's marks are: a publication looks at both, under the lock for writing. So a put or an
 * invalidation in any process ends a right by what it does to the file. Where there is no file the right's first deed is to
 * write an empty one; so a file that is gone, by whosever hand, ends the rights too, and no fence ever comes back.
 *
 * <p>The right itself is a lock of the operating system, of a byte that stands for key, fence and marks together. Who asks after an
 * invalidation asks for another byte than the one that the creator before it still holds.
 *
 * <p>An invalidation of the whole region takes no locks. A publication that passes its look just before is written with the old
 * marks, and is as invalid as all others.
 */
final class FilePartition<V> implements Partition<V> {
    private final String shown;
    private final RegionFiles<V> files;
    private final Watchers watchers;

    FilePartition(LockFiles locks, ValueFiles files, Watchers watchers, Opening<V> opening, Serializer<V> serializer) {
        this.shown = "region '" + opening.region() + "'";
        this.files = new RegionFiles<>(locks, files, opening, serializer);
        this.watchers = watchers;
    }

    @Override
    public Slot<V> slot(Object key) {
        FileName name = files.name(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() throws Exception {
                return files.read(name, files.marks().known());
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return watchers.watch(name.lock(), look(name), () -> changed.accept(null));
            }
        };
    }

    private Watchers.Look look(FileName name) {
        return new Watchers.Look() {
            @Override
            public long fence() throws IOException {
                return files.fence(name);
            }

            @Override
            public boolean isFree(long fence) throws Exception {
                return files.isRightFree(name, fence);
            }
        };
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        FileName name = files.name(key);
        RegionFiles<V>.Packed packed = files.pack(name, draft, files.marks().fresh());
        files.locked(name, () -> {
            packed.write();
            return packed;
        });
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        FileName name = files.name(key);
        files.locked(name, () -> {
            files.declareOld(name, how);
            return name;
        });
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        try {
            files.marks().next(how);
        } catch (IOException failure) {
            throw new IOException(shown + ": " + failure.getMessage(), failure);
        }
    }

    @Override
    public String toString() {
        return shown + " in " + files;
    }
}
