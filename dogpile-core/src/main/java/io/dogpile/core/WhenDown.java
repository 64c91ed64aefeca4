package io.dogpile.core;

/** What is done when the store, or the lock, cannot be reached and no stale value is at hand. */
public enum WhenDown {
    /** The value is created, once at a time in this JVM, and handed to all who wait. */
    CREATE,
    /** The callers get a {@link DogpileException}. */
    FAIL
}
