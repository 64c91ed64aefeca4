package io.dogpile.cache.servers;

/** One server as a process, as a container, or inside of this JVM. Its files outlive a kill, until it is deleted. */
public interface ServerRun {
    /** Starts it, the first time or after a kill; does not wait until it answers. */
    void start();

    boolean isAlive();

    /** The process id on this machine. */
    long pid();

    /** The process id as the server itself sees it. */
    default long ownPid() {
        return pid();
    }

    /** As kill -9 does: nothing is written, nothing is answered. Returns when it is gone. */
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
