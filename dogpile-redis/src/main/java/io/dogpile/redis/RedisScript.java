package io.dogpile.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * The steps that the server does at once, each a Lua script beside this class; its contract stands above its text.
 *
 * <p>A script touches one record, and the region's generation where that is on the same node. It keeps time by the server's
 * clock. One that is called twice with the same nonce does its work once.
 */
enum RedisScript {
    CLAIM,
    PUBLISH,
    PUT,
    RENEW,
    ABANDON,
    INVALIDATE,
    GENERATION,
    LOCK,
    EXTEND,
    UNLOCK;

    private final String text;

    RedisScript() {
        this.text = read(name().toLowerCase(Locale.ROOT) + ".lua");
    }

    String text() {
        return text;
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
