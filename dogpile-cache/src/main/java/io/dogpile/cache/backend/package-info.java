/**
 * Where the values of a region live, and the form in which they leave this JVM.
 *
 * <p>A reading order of where they live: {@link io.dogpile.cache.backend.Backend} opens a
 * {@link io.dogpile.cache.backend.Partition} for each region; {@link io.dogpile.cache.backend.MemoryBackend} keeps values in
 * this JVM, {@link io.dogpile.cache.backend.SerializingBackend} makes a backend of any
 * {@link io.dogpile.cache.backend.ByteBackend}, {@link io.dogpile.cache.backend.NullBackend} stores nothing. Before
 * another stand {@link io.dogpile.cache.backend.TieredBackend}, with copies in memory, and
 * {@link io.dogpile.cache.backend.ProxyBackend}, with hooks of the user's own.
 *
 * <p>A reading order of the form: {@link io.dogpile.cache.backend.Serializer} turns a value into bytes and back,
 * {@link io.dogpile.cache.backend.JsonSerializer} does so through Jackson; {@link io.dogpile.cache.backend.Envelope} puts
 * stamps and checks around the bytes, and opens only what is whole; {@link io.dogpile.cache.backend.Decoded} is what came
 * of opening one, {@link io.dogpile.cache.backend.Unreadable} says why it could not be opened.
 *
 * <p>Inside: {@code Generation} is what the values of a region are valid under, {@code LockedPartition} puts a lock before
 * a partition; {@code XxHash64} is the check of the key; {@code JdkSerializer} guards the serialization of the JDK.
 */
@NullMarked
package io.dogpile.cache.backend;

import org.jspecify.annotations.NullMarked;
