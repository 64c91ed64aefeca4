package io.dogpile.cache.servers;

import io.dogpile.cache.processes.Await;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;

/**
 * A real server for tests, on the loopback address, empty at first, that can be killed, frozen and started again.
 *
 * <p>The first of each origin that starts prints which. The port and the files stay the same until it is closed, and nothing
 * is left of it then. What is not closed ends with the JVM, unless that is killed with -9. For one thread at a time.
 */
public abstract class LoopbackServer implements AutoCloseable {
    /** The address of each. */
    protected static final String LOOPBACK = "127.0.0.1";

    private static final int PORTS_TRIED = 5;
    private static final Set<String> PRINTED = ConcurrentHashMap.newKeySet();
    private static final Set<ServerRun> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> RUNNING.forEach(ServerRun::delete), "servers of the tests"));
    }

    /** What it runs as. */
    protected final ServerRun run;

    private final int port;

    /**
     * One that is not started.
     *
     * @param run listens on the port once it is started
     * @param port a port of the loopback address
     */
    protected LoopbackServer(ServerRun run, int port) {
        this.run = run;
        this.port = port;
    }

    /**
     * Starts one on a free port and returns it when it answers.
     *
     * @param kind what is printed of it
     * @param onPort makes one of a port
     * @throws IllegalStateException if it ends or does not answer in time; the message has its log
     */
    protected static <S extends LoopbackServer> S onFreePort(ServerKind kind, IntFunction<S> onPort) {
        for (int tried = 1; ; tried++) {
            S started = onPort.apply(Ports.free());
            LoopbackServer server = started;
            ServerRun run = server.run;
            RUNNING.add(run);
            try {
                run.start();
                server.awaitAnswer();
                if (PRINTED.add(run.origin())) {
                    System.out.println("Servers of the tests: " + kind + ", " + server.product() + ", " + run.origin());
                }
                return started;
            } catch (RuntimeException e) {
                boolean taken = run.log().contains("in use");
                server.close();
                if (!taken || tried == PORTS_TRIED) {
                    throw e;
                }
            }
        }
    }

    /** Whether it answers as itself, and not another that took the port a moment before. */
    protected abstract boolean answers();

    /** What it is, once it answers. */
    protected abstract String product();

    public final int port() {
        return port;
    }

    /** As kill -9 does. Its connections break, what it held in memory is lost. */
    public final void kill() {
        run.kill();
    }

    /** Starts it again, on its port and with its files; kills it before if it runs. Returns when it answers. */
    public final void restart() {
        kill();
        run.start();
        awaitAnswer();
    }

    /** As SIGSTOP does: connections stay open and new ones are taken by the system, but nothing answers. */
    public final void freeze() {
        run.freeze();
    }

    /** Ends {@link #freeze()}. What was sent meanwhile is then done. */
    public final void thaw() {
        run.thaw();
    }

    @Override
    public final void close() {
        if (RUNNING.remove(run)) {
            run.delete();
        }
    }

    @Override
    public final String toString() {
        return getClass().getSimpleName() + '[' + LOOPBACK + ':' + port + ']';
    }

    private void awaitAnswer() {
        Await.until(() -> this + " answers; it logged:\n" + run.log(), () -> {
            if (!run.isAlive()) {
                throw new IllegalStateException(this + " ended before it answered; it logged:\n" + run.log());
            }
            return answers();
        });
    }
}
