package io.dogpile.cache.file;

import java.io.File;
import java.nio.file.Path;

/**
 * A key, its text, its full name, and its file; which reads open by its name, as a path takes longer to make than a hash. What
 * the locks of a file are named by is what everybody knows who sees it.
 */
record FileName(Object key, String text, String full, File file) {
    Path path() {
        return file.toPath();
    }

    /** What the lock for writing it is named by. */
    String lock() {
        return file.getName();
    }

    /** What the lock for writing a file is named by. */
    static String lockOf(Path path) {
        return path.getFileName().toString();
    }

    /** What the right to create the successor of a write is named by. */
    static String rightOf(Path path, long fence, RegionMarks.Marks valid) {
        return lockOf(path) + ' ' + fence + ' ' + valid.hard() + ' ' + valid.soft();
    }
}
