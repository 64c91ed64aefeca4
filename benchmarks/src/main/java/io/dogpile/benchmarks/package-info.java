/**
 * Measures the core, regions and the Redis backend beside what one would take instead.
 *
 * <p>A reading order: {@link io.dogpile.benchmarks.Benchmarks} is the command; {@link io.dogpile.benchmarks.HitBenchmark}
 * and {@link io.dogpile.benchmarks.ReadLockBenchmark} are run by JMH, as is {@code io.dogpile.core.KeyedLockBenchmark},
 * which needs a hidden class; {@link io.dogpile.benchmarks.LocalStampede} and
 * {@link io.dogpile.benchmarks.FailingCreator} measure a crowd of callers, for which JMH has no shape. Most groups on Redis
 * have crowds in other processes ({@link io.dogpile.benchmarks.ClusterWorker}, {@link io.dogpile.benchmarks.ExpiryWorker});
 * {@code Peers} makes the clients.
 */
@NullMarked
package io.dogpile.benchmarks;

import org.jspecify.annotations.NullMarked;
