/**
 * Redis as a {@linkplain io.dogpile.redis.RedisBackend backend} of regions: one creation in the whole cluster, those who
 * wait woken by push; and as a {@linkplain io.dogpile.redis.RedisLockProvider lock} alone.
 */
@NullMarked
package io.dogpile.redis;

import org.jspecify.annotations.NullMarked;
