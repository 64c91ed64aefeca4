/** Memcached as a backend and as a lock will live here; nothing does yet, and nothing is published. */
@NullMarked
package io.dogpile.memcached;

import org.jspecify.annotations.NullMarked;
