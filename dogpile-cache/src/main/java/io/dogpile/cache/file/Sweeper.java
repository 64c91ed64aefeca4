package io.dogpile.cache.file;

import io.dogpile.core.TimeSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what nobody will read: values that are expired or of a generation that was invalidated, what is empty or damaged, and what
 * writers that died left behind; then, if there is more than the limit, what is oldest.
 *
 * <p>A file is removed only while this process holds both the right to create its successor and the lock for writing it, and has
 * looked at it under them. So nobody's creation is in vain because of the sweep.
 *
 * <p>One process of all sweeps at a time, and looks at no more than {@value #MOST_FILES} files at once; it goes on from there the
 * next time. Thread-safe.
 */
final class Sweeper {
    static final int MOST_FILES = 50_000;
    private static final int MOST_VICTIMS = 10_000;
    private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);

    private final LockFiles locks;
    private final ValueFiles files;
    private final Path directory;
    private final long mostBytes;
    private final TimeSource time;
    private final int mostFiles;
    private final ReentrantLock sweeping = new ReentrantLock();

    /** Folders that this round has yet to look at. Guarded by: sweeping, as all below. */
    private final Deque<Path> folders = new ArrayDeque<>();

    private long bytes;
    private final PriorityQueue<Victim> oldest =
            new PriorityQueue<>(Comparator.comparingLong(Victim::modifiedAt).reversed());
    private boolean toldOfTrouble;

    /** A file that may have to go. */
    private record Victim(Path path, long fence, RegionMarks.Marks marks, long modifiedAt, long bytes) {}

    Sweeper(LockFiles locks, ValueFiles files, Path directory, long mostBytes, TimeSource time, int mostFiles) {
        this.locks = locks;
        this.files = files;
        this.directory = directory;
        this.mostBytes = mostBytes;
        this.time = time;
        this.mostFiles = mostFiles;
    }

    /** One portion of work, unless another thread or process sweeps. Never throws. */
    void sweep() {
        if (!sweeping.tryLock()) {
            return;
        }
        try {
            LockFiles.Held held = locks.tryLock(locks.place(LockPlace.Kind.WRITE, "sweeper"), LockFiles.Mode.EXCLUSIVE);
            if (held != null) {
                try {
                    portion();
                } finally {
                    held.release();
                }
            }
            toldOfTrouble = false;
        } catch (IOException | UncheckedIOException | DirectoryIteratorException | IllegalStateException trouble) {
            if (!toldOfTrouble) {
                toldOfTrouble = true;
                LOG.warn("{} cannot be swept of old values; this is tried again", directory, trouble);
            }
        } finally {
            sweeping.unlock();
        }
    }

    private void portion() throws IOException {
        if (folders.isEmpty()) {
            bytes = 0;
            oldest.clear();
            listFolders();
        }
        int seen = 0;
        while (seen < mostFiles && !folders.isEmpty()) {
            seen += look(folders.remove());
        }
        if (folders.isEmpty()) {
            evict();
        }
    }

    /** At most 256 for each region. What has such a name and is none, a stranger left. */
    private void listFolders() throws IOException {
        for (Path region : list(directory, path -> RegionFiles.isRegion(path) && isFolder(path))) {
            folders.addAll(list(region, path -> path.getFileName().toString().length() == 2 && isFolder(path)));
        }
    }

    private static boolean isFolder(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    private static List<Path> list(Path folder, Predicate<Path> wanted) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, wanted::test)) {
            all.forEach(found::add);
        } catch (NoSuchFileException gone) {
            return List.of();
        }
        return found;
    }

    private int look(Path folder) throws IOException {
        RegionMarks.Marks marks = RegionMarks.of(files, ValueFiles.folder(folder));
        List<Path> all = list(folder, path -> true);
        if (marks != null) { // else the region is about to draw them
            for (Path path : all) {
                if (path.toString().endsWith(RegionFiles.SUFFIX)) {
                    look(path, marks);
                } else {
                    removeLeftOver(path);
                }
            }
        }
        return all.size();
    }

    private void look(Path path, RegionMarks.Marks marks) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(path, BasicFileAttributes.class);
        } catch (NoSuchFileException gone) {
            return;
        }
        if (!attributes.isRegularFile()) {
            return;
        }
        ValueFiles.Found found = files.readHeader(path);
        if (isUseless(found, marks) && removed(path, found.fence(), marks)) {
            return;
        }
        bytes += attributes.size();
        if (mostBytes > 0) {
            oldest.add(new Victim(
                    path, found.fence(), marks, attributes.lastModifiedTime().toMillis(), attributes.size()));
            if (oldest.size() > MOST_VICTIMS) {
                oldest.remove();
            }
        }
    }

    private boolean isUseless(ValueFiles.Found found, RegionMarks.Marks marks) {
        FileHeader header = found.header();
        if (header == null) {
            return found.damage() != null;
        }
        long expiry = header.expiresAtMillis();
        return header.mark() == FileHeader.Mark.EMPTY
                || (expiry != 0 && expiry < time.instant().toEpochMilli())
                || header.marks().hard() != marks.hard();
    }

    /** The second file of a writer that died; one that lives holds the lock. */
    private void removeLeftOver(Path part) throws IOException {
        String name = part.getFileName().toString();
        int end = name.lastIndexOf(RegionFiles.SUFFIX);
        if (end > 0 && !isFolder(part)) {
            Path path = part.resolveSibling(name.substring(0, end + RegionFiles.SUFFIX.length()));
            LockFiles.Held write = locked(LockPlace.Kind.WRITE, FileName.lockOf(path));
            if (write != null) {
                try {
                    Files.deleteIfExists(part);
                } finally {
                    write.release();
                }
            }
        }
    }

    private LockFiles.@Nullable Held locked(LockPlace.Kind kind, String name) throws IOException {
        return locks.tryLock(locks.place(kind, name), LockFiles.Mode.EXCLUSIVE);
    }

    /** Removes a file, unless its successor is being created, it is being written, or it is not as it was. */
    private boolean removed(Path path, long fence, RegionMarks.Marks marks) throws IOException {
        LockFiles.Held right = locked(LockPlace.Kind.RIGHT, FileName.rightOf(path, fence, marks));
        if (right == null) {
            return false;
        }
        try {
            LockFiles.Held write = locked(LockPlace.Kind.WRITE, FileName.lockOf(path));
            if (write == null) {
                return false;
            }
            try {
                boolean asItWas = files.readHeader(path).fence() == fence;
                if (asItWas) {
                    files.delete(path);
                }
                return asItWas;
            } finally {
                write.release();
            }
        } finally {
            right.release();
        }
    }

    private void evict() throws IOException {
        if (mostBytes <= 0 || bytes <= mostBytes) {
            return;
        }
        List<Victim> victims = new ArrayList<>(oldest);
        victims.sort(Comparator.comparingLong(Victim::modifiedAt));
        for (Victim victim : victims) {
            if (bytes <= mostBytes) {
                return;
            }
            if (removed(victim.path, victim.fence, victim.marks)) {
                bytes -= victim.bytes;
            }
        }
    }
}
