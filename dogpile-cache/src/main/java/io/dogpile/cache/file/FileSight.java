package io.dogpile.cache.file;

import io.dogpile.cache.backend.EnvelopeSeen;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A file as it was seen. Immutable. */
final class FileSight<V> extends EnvelopeSeen<V> {
    private static final int TRIES_TO_CLAIM = 5;

    private final RegionFiles<V> files;
    private final FileName name;
    private final long fence;

    FileSight(
            RegionFiles<V> files,
            FileName name,
            long fence,
            ValueFormat.@Nullable Result<V> result,
            Deadlines deadlines) {
        super(result, deadlines);
        this.files = files;
        this.name = name;
        this.fence = fence;
    }

    /** Whether the file is as it was seen. */
    boolean isUnder(@Nullable FileHeader header) {
        return header != null && header.fence() == fence;
    }

    @Override
    public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
        for (int tries = 0; tries < TRIES_TO_CLAIM; tries++) {
            RegionMarks.Marks valid = files.marks().fresh();
            long underFence = files.fenceForRights(name, valid);
            LockFiles.Held held = files.tryRight(name, underFence, valid);
            if (held == null) {
                break;
            }
            try {
                FileSight<V> under = files.read(name, valid);
                if (under.fence == underFence && files.marks().fresh().equals(valid)) {
                    return Slot.Claim.granted(new FileRight<>(files, name, held, valid, under), under);
                }
            } catch (Throwable failure) {
                Throwable trouble = FileRight.released(held);
                if (trouble != null) {
                    failure.addSuppressed(trouble);
                }
                throw failure;
            }
            held.release(); // the file was written meanwhile
        }
        return Slot.Claim.held(Duration.ZERO, null);
    }
}
