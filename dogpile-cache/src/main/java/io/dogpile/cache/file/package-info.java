/**
 * Values and locks in the files of a directory, for the processes of one machine, or of several that share a file system
 * which locks.
 *
 * <p>A reading order: {@link io.dogpile.cache.file.FileBackend} keeps the values of regions,
 * {@link io.dogpile.cache.file.FileLockProvider} is the lock alone, {@link io.dogpile.cache.file.FileReadWriteLock} lets
 * readers of several processes in together, {@link io.dogpile.cache.file.LockProbe} tells whether a directory locks at all.
 *
 * <p>Inside: {@code LockFiles} has the one channel of each lock file, {@code LockPlace} says which byte stands for what;
 * {@code FilePartition} is a region, {@code RegionFiles} knows its files, {@code FileSight} is one as it was seen and
 * {@code FileRight} the right to replace it; {@code ValueFiles} reads and replaces files, {@code RegularFiles} tells them from pipes,
 * {@code FileHeader} is what they begin with, {@code RegionMarks} invalidates them all; {@code Watchers} look for those who wait, {@code Sweeper} removes what nobody
 * will read.
 */
@NullMarked
package io.dogpile.cache.file;

import org.jspecify.annotations.NullMarked;
