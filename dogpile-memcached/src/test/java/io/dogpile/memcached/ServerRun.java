package io.dogpile.memcached;

/** One server as a process, as a container, or inside of this JVM. */
interface ServerRun {
    /** Starts it, the first time or after a kill; does not wait until it answers. */
    void start();

    boolean isAlive();

    /** The port; the same after each start. */
    int port();

    /** As kill -9 does: what it held is lost. Returns when it is gone. */
    void kill();

    /** Stops it in mid-work; its connections stay open. Returns when it stands still. */
    void freeze();

    void thaw();

    /** Kills it and removes its files. */
    void delete();

    /** What it has logged. */
    String log();

    /** The binary, the image or the library. */
    String origin();
}
