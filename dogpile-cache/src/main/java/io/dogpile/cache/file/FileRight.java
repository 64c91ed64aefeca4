package io.dogpile.cache.file;

import io.dogpile.core.Slot;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A right: its lock says that nobody else has one, the fence whether it is still good. */
final class FileRight<V> implements Slot.Grant<V> {
    private final RegionFiles<V> files;
    private final FileName name;
    private final LockFiles.Held held;
    private final RegionMarks.Marks valid;
    private final FileSight<V> seen;
    private final AtomicBoolean ended = new AtomicBoolean();

    FileRight(RegionFiles<V> files, FileName name, LockFiles.Held held, RegionMarks.Marks valid, FileSight<V> seen) {
        this.files = files;
        this.name = name;
        this.held = held;
        this.valid = valid;
        this.seen = seen;
    }

    @Override
    public long fencingToken() {
        return 0;
    }

    @Override
    public boolean renew() throws Exception {
        return !ended.get() && isGood();
    }

    private boolean isGood() throws Exception {
        return held.isHeld()
                && seen.isUnder(files.readHeader(name))
                && files.marks().fresh().equals(valid);
    }

    @Override
    public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
        if (!ended.compareAndSet(false, true)) {
            return refused();
        }
        Slot.Published<V> published;
        try {
            published = stored(draft);
        } catch (Throwable notKnown) {
            Throwable trouble = released(held);
            if (trouble != null) {
                notKnown.addSuppressed(trouble);
            }
            throw notKnown;
        }
        Throwable trouble = released(held);
        return trouble == null ? published : new Slot.Published<>(published.outcome(), published.seen(), trouble);
    }

    private Slot.Published<V> stored(Slot.Draft<V> draft) throws Exception {
        if (!draft.keep() || seen.isNewerWriters()) {
            return isGood() ? new Slot.Published<>(Slot.Published.Outcome.STORED, null) : refused();
        }
        RegionFiles<V>.Packed packed;
        try {
            packed = files.pack(name, draft, valid);
        } catch (Exception notPacked) {
            return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, notPacked);
        }
        boolean written = files.locked(name, () -> {
            boolean good = isGood();
            if (good) {
                packed.write();
            }
            return good;
        });
        return written ? new Slot.Published<>(Slot.Published.Outcome.STORED, packed.sight) : refused();
    }

    private Slot.Published<V> refused() throws Exception {
        FileSight<V> now = files.read(name, files.marks().known());
        return now.present() && now.version() != seen.version()
                ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, now)
                : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
    }

    @Override
    public void abandon(@Nullable Throwable cause) throws Exception {
        if (ended.compareAndSet(false, true)) {
            held.release();
        }
    }

    static @Nullable Throwable released(LockFiles.Held held) {
        try {
            held.release();
            return null;
        } catch (IOException notKnown) {
            return notKnown;
        }
    }
}
