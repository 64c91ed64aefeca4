/**
 * What helps the tests of who uses dogpile-cache, or plugs a backend into it. It is in the test-jar (classifier
 * {@code tests}), and needs the test-jar of dogpile-core, and JUnit Jupiter for the contracts.
 *
 * <p>A reading order: {@link io.dogpile.cache.testing.BackendContract} is what a backend of one's own must hold, and
 * {@link io.dogpile.cache.testing.RegionContract} what a region on it does;
 * {@link io.dogpile.cache.testing.FaultyBackend} stands before a backend and lets requests and processes fail.
 *
 * <p>What else there is in the test-jar, in other packages, are this project's own tests: it may change at any time.
 */
@NullMarked
package io.dogpile.cache.testing;

import org.jspecify.annotations.NullMarked;
