package io.dogpile.demo;

/** A thread that calls; it knows its lane, and whether its call had to wait for another's creation. */
final class Caller extends Thread {
    private final int lane;
    /** Only ever touched by this thread. */
    private boolean waited;

    Caller(int lane, Runnable calls) {
        super(calls, "caller-" + lane);
        this.lane = lane;
        setDaemon(true);
    }

    /** The lane of the current thread. */
    static int currentLane() {
        return Thread.currentThread() instanceof Caller caller ? caller.lane : Work.BEHIND;
    }

    /** The current caller waits, or has waited. */
    static void noteWait() {
        if (Thread.currentThread() instanceof Caller caller) {
            caller.waited = true;
        }
    }

    /** Whether the current caller has waited since it last asked. */
    static boolean hasWaited() {
        if (Thread.currentThread() instanceof Caller caller && caller.waited) {
            caller.waited = false;
            return true;
        }
        return false;
    }
}
