/**
 * Memcached as a {@linkplain io.dogpile.memcached.MemcachedBackend backend} of regions: one creation among all who share the
 * servers, those who wait find its value by polling; and as a {@linkplain io.dogpile.memcached.MemcachedLockProvider lock} alone.
 */
@NullMarked
package io.dogpile.memcached;

import org.jspecify.annotations.NullMarked;
