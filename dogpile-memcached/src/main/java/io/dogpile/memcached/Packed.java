package io.dogpile.memcached;

import io.dogpile.cache.backend.Envelope;

/** A value on its way to the servers, for so many seconds. */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
record Packed(Envelope.Stamps stamps, byte[] bytes, int ttl) {}
