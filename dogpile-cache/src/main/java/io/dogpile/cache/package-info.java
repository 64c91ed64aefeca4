/**
 * Regions over the lock of dogpile-core. Not released: there are no regions yet, only what they will name their entries
 * by.
 *
 * <p>Inside: {@code KeyText} writes a key as readable, injective text, {@code ArgumentKey} is the key of a call,
 * {@code KeyLimit} shortens a text that is too long for a store.
 */
@NullMarked
package io.dogpile.cache;

import org.jspecify.annotations.NullMarked;
