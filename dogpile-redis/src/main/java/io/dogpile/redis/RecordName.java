package io.dogpile.redis;

/** A key of a region, its text, and the key of its record, as a text and as it is sent. */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
record RecordName(Object key, String text, String full, byte[] record) {
    @Override
    public String toString() {
        return full;
    }
}
