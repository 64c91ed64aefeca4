package io.dogpile.cache.backend;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Text as UTF-8. A new coder for each call, since coders have state; new ones refuse what is malformed. */
final class StringSerializer implements Serializer<String> {
    static final StringSerializer INSTANCE = new StringSerializer();

    private StringSerializer() {}

    @Override
    public int id() {
        return 1;
    }

    @Override
    public byte[] write(String value) throws CharacterCodingException {
        ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(value));
        return Arrays.copyOfRange(utf8.array(), utf8.arrayOffset(), utf8.arrayOffset() + utf8.limit());
    }

    @Override
    public String read(byte[] bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
    }

    @Override
    public String toString() {
        return "string";
    }
}
