package io.dogpile.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The steps that the server does at once, each a Lua script beside this class; its contract stands above its text.
 *
 * <p>A script touches one record, and the region's generation where that is on the same node. It keeps time by the server's
 * clock. One that is called twice with the same nonce does its work once.
 */
enum RedisScript {
    CLAIM(Gives.LIST, "nnttntt"),
    PUBLISH(Gives.LIST, "nntt"),
    PUT(Gives.LIST, "nnt"),
    RENEW(Gives.LIST, "nn"),
    ABANDON(Gives.LIST, "nn"),
    INVALIDATE(Gives.LIST, "nn"),
    GENERATION(Gives.LIST, "nt"),
    LOCK(Gives.LIST, "nt"),
    EXTEND(Gives.ONE, "n"),
    UNLOCK(Gives.ONE, "n");

    private enum Gives {
        ONE,
        LIST
    }

    private final Gives gives;
    private final String items;
    private final String text;

    /** Of what it gives, n is a number, and t a text or nothing. */
    RedisScript(Gives gives, String items) {
        this.gives = gives;
        this.items = items;
        this.text = read(name().toLowerCase(Locale.ROOT) + ".lua");
    }

    String text() {
        return text;
    }

    /** Whether it can have given this. */
    boolean gives(@Nullable Object reply) {
        List<?> all = reply instanceof List<?> list ? list : List.of();
        if (gives == Gives.ONE) {
            return reply instanceof Long;
        }
        if (all.size() != items.length()) {
            return false;
        }
        for (int i = 0; i < all.size(); i++) {
            Object item = all.get(i);
            boolean fits = items.charAt(i) == 'n' ? item instanceof Long : item == null || item instanceof byte[];
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    private static String read(String resource) {
        try (InputStream in = RedisScript.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("dogpile-redis lacks its script " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A script as it is sent: its text, and the hash by which the server knows it once it was seen. */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    record Sent(byte[] text, byte[] hash) {
        static Sent of(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            try {
                byte[] hash = MessageDigest.getInstance("SHA-1").digest(bytes);
                return new Sent(bytes, HexFormat.of().formatHex(hash).getBytes(StandardCharsets.US_ASCII));
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError("every Java platform has SHA-1", e);
            }
        }
    }
}
