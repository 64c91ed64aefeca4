package io.dogpile.demo;

/** A thread that calls, and knows its lane. */
final class Caller extends Thread {
    private final int lane;

    Caller(int lane, Runnable calls) {
        super(calls, "caller-" + lane);
        this.lane = lane;
        setDaemon(true);
    }

    /** The lane of the current thread. */
    static int currentLane() {
        return Thread.currentThread() instanceof Caller caller ? caller.lane : Work.BEHIND;
    }
}
