package io.dogpile.memcached;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;

/** Texts that no other process, and no other attempt of this one, ever has. Thread-safe. */
final class Nonces {
    private final String id = HexFormat.of().toHexDigits(new SecureRandom().nextLong());
    private final AtomicLong attempts = new AtomicLong();

    String next() {
        return id + '.' + attempts.incrementAndGet();
    }
}
