package io.dogpile.redis;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;

/** Texts that nobody else has: an id that is drawn once, and a count. */
final class Nonces {
    private final String id;
    private final AtomicLong given = new AtomicLong();

    Nonces() {
        this(HexFormat.of().toHexDigits(new SecureRandom().nextLong()));
    }

    /** With an id that nobody else has. */
    Nonces(String id) {
        this.id = id;
    }

    String id() {
        return id;
    }

    String next() {
        return id + '.' + given.incrementAndGet();
    }
}
