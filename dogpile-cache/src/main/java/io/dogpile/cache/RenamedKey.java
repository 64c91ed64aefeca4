package io.dogpile.cache;

import java.util.Objects;
import java.util.function.Function;

/** A key of a region that renders its keys by a function of the user's: what renders alike is one key. */
record RenamedKey(String text, Object key) {
    static <K> RenamedKey of(Function<? super K, String> texts, K key) {
        Objects.requireNonNull(key, "key");
        return new RenamedKey(Objects.requireNonNull(texts.apply(key), "keys() made null of a key"), key);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RenamedKey that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return String.valueOf(key);
    }

    /** The key as the user knows it. */
    static Object original(Object name) {
        return name instanceof RenamedKey renamed ? renamed.key : name;
    }

    /** The key as stores in other processes know it. */
    static String textOf(Object name) {
        if (name instanceof RenamedKey renamed) {
            return renamed.text;
        }
        return name instanceof ArgumentKey call ? call.text() : KeyText.of(name);
    }
}
