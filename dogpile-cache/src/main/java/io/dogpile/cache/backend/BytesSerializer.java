package io.dogpile.cache.backend;

/** Bytes as they are. */
final class BytesSerializer implements Serializer<byte[]> {
    static final BytesSerializer INSTANCE = new BytesSerializer();

    private BytesSerializer() {}

    @Override
    public int id() {
        return 0;
    }

    @Override
    public byte[] write(byte[] value) {
        return value;
    }

    @Override
    public byte[] read(byte[] bytes) {
        return bytes;
    }

    @Override
    public String toString() {
        return "bytes";
    }
}
