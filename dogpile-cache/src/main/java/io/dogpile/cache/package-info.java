/** Regions, backends and codecs over the lock of dogpile-core will live here; nothing does yet, and nothing is published. */
@NullMarked
package io.dogpile.cache;

import org.jspecify.annotations.NullMarked;
