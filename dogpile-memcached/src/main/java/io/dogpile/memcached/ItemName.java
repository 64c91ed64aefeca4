package io.dogpile.memcached;

/**
 * A key of a region, and where its items are.
 *
 * @param key as the region knows it
 * @param text its text
 * @param full region and text: what the envelope is checked against
 * @param value the item of its value
 * @param lease the item of the right to create it, on the same server
 */
record ItemName(Object key, String text, String full, Item value, Item lease) {
    byte[] inBytes() {
        return Names.bytes(full);
    }
}
