/**
 * What helps the tests of who uses dogpile-core, or plugs something into it. It is in the test-jar (classifier
 * {@code tests}); JUnit Jupiter is needed beside it for {@link io.dogpile.core.testing.LockProviderContract}.
 *
 * <p>A reading order: {@link io.dogpile.core.testing.FakeTime} is a clock that only the test moves;
 * {@link io.dogpile.core.testing.HandDriven} an executor that only the test runs; {@link io.dogpile.core.testing.Held} a
 * creator that the test lets go on; {@link io.dogpile.core.testing.Callers} are threads that call, and wait;
 * {@link io.dogpile.core.testing.LockProviderContract} is what a lock of one's own must hold.
 *
 * <p>What else there is in the test-jar, in other packages, are this project's own tests: it may change at any time.
 */
@NullMarked
package io.dogpile.core.testing;

import org.jspecify.annotations.NullMarked;
