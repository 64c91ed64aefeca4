/**
 * Where the values of a region live, and the form in which they leave this JVM.
 *
 * <p>A reading order of that form: {@link io.dogpile.cache.backend.Serializer} turns a value into bytes and back,
 * {@link io.dogpile.cache.backend.JsonSerializer} does so through Jackson; {@link io.dogpile.cache.backend.Envelope} puts
 * stamps and checks around the bytes, and opens only what is whole; {@link io.dogpile.cache.backend.Decoded} is what came
 * of opening one, {@link io.dogpile.cache.backend.Unreadable} says why it could not be opened.
 *
 * <p>Inside: {@code XxHash64} is the check of the key; {@code JdkSerializer} guards the serialization of the JDK.
 */
@NullMarked
package io.dogpile.cache.backend;

import org.jspecify.annotations.NullMarked;
