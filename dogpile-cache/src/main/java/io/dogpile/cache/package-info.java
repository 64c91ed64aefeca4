/**
 * A cache of regions over the lock of dogpile-core.
 *
 * <p>A reading order: {@link io.dogpile.cache.Region} is what most use, {@link io.dogpile.cache.RegionBuilder} says what
 * it can be asked for, {@link io.dogpile.cache.AsyncRegion} is it for callers who hold futures,
 * {@link io.dogpile.cache.Regions} holds several by name, {@link io.dogpile.cache.RegionStats} counts.
 * {@link io.dogpile.cache.CachedFunction} and {@link io.dogpile.cache.CachedBulkFunction} keep what functions return;
 * {@link io.dogpile.cache.Cached} and {@link io.dogpile.cache.CachedProxies} do it for the methods of an interface.
 * Where values live is told in {@link io.dogpile.cache.backend}.
 *
 * <p>Inside: {@code Entries} does what a region is asked for, by name of the entry; {@code Lives} says how long what is
 * created lives; {@code Settings} reads options as text. {@code KeyText} writes a key as readable, injective text,
 * {@code ArgumentKey} is the key of a call, {@code RenamedKey} one that the user renders.
 * Behind a proxy, {@code MethodsOfInterface} finds what is cached and refuses what cannot be, with {@code TypeArguments}
 * for generic interfaces; {@code CachingHandler} finds the {@code CachedMethod} of a call, which knows by
 * {@code ReturnForm} what of the answer is kept; {@code ForgettingHandler} is the twin.
 */
@NullMarked
package io.dogpile.cache;

import org.jspecify.annotations.NullMarked;
