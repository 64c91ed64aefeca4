package io.dogpile.memcached;

/**
 * One item on the servers.
 *
 * @param key its key
 * @param beside the key whose server it is on; its own, unless it must be where another item is
 */
record Item(String key, String beside) {}
