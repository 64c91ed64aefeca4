package io.dogpile.cache.servers;

/** Where the servers of the tests come from, in the order in which they are preferred. */
public enum ServerKind {
    /** A container, where a Docker engine of this machine answers. */
    DOCKER,

    /** A process of the binary on the path. */
    LOCAL,

    /** What a library ships: a binary, or a server inside of this JVM. */
    EMBEDDED
}
