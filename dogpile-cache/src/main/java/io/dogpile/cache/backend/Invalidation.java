package io.dogpile.cache.backend;

/** How a value is declared old. */
public enum Invalidation {
    /** It is stale from now on: one caller creates it anew, the others may take it until then. */
    SOFT,
    /** It is expired from now on: nobody is given it any more. */
    HARD
}
