package io.dogpile.memcached;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;

/**
 * A memcached server for tests, on the loopback address, empty at first, that can be killed, frozen and started again.
 *
 * <p>It is of the {@linkplain ServerKind#ofThisMachine() kind of this machine}, unless one is asked for; the first of each kind
 * that starts prints which. No server at all is a failure, never a skip. The port stays the same until it is closed, and
 * nothing is left of it then. What is not closed ends with the JVM, unless that is killed with -9. For one thread at a time.
 */
public final class MemcachedServer implements AutoCloseable {
    /** How long a client made here waits for an answer. */
    public static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final String LOOPBACK = "127.0.0.1";
    private static final int PORTS_TRIED = 5;
    private static final int SOCKET_TIMEOUT_MILLIS = 500;
    private static final Set<ServerKind> PRINTED = ConcurrentHashMap.newKeySet();
    private static final Set<ServerRun> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> RUNNING.forEach(ServerRun::delete), "servers of the tests"));
    }

    private final ServerRun run;

    private MemcachedServer(ServerRun run) {
        this.run = run;
    }

    /** Starts one with no option but those that keep it on loopback. */
    public static MemcachedServer start() {
        return builder().start();
    }

    public static Builder builder() {
        return new Builder();
    }

    public int port() {
        return run.port();
    }

    /** As a backend takes it. */
    public String address() {
        return LOOPBACK + ':' + port();
    }

    /** A new client of this server, as a backend takes one. The caller shuts it down. */
    public MemcachedClient client() {
        return clientOf(FailureMode.Cancel, this);
    }

    static MemcachedClient clientOf(FailureMode mode, MemcachedServer... servers) {
        return clientOf(
                new ConnectionFactoryBuilder()
                        .setProtocol(ConnectionFactoryBuilder.Protocol.BINARY)
                        .setFailureMode(mode),
                servers);
    }

    static MemcachedClient clientOf(ConnectionFactoryBuilder factory, MemcachedServer... servers) {
        List<InetSocketAddress> all = Arrays.stream(servers)
                .map(server -> new InetSocketAddress(LOOPBACK, server.port()))
                .toList();
        try {
            MemcachedClient client = new MemcachedClient(
                    factory.setDaemon(true)
                            .setOpTimeout(TIMEOUT.toMillis())
                            .setMaxReconnectDelay(1)
                            .build(),
                    all);
            Await.until(
                    "the client is connected",
                    () -> client.getUnavailableServers().isEmpty());
            return client;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends lines of the text protocol on a connection of their own, and returns the first line of the answer. */
    public String text(String... lines) {
        try (Socket socket = new Socket(LOOPBACK, port())) {
            socket.setSoTimeout((int) TIMEOUT.toMillis());
            socket.getOutputStream().write((String.join("\r\n", lines) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            StringBuilder line = new StringBuilder();
            for (int c = socket.getInputStream().read();
                    c >= 0 && c != '\n';
                    c = socket.getInputStream().read()) {
                line.append((char) c);
            }
            return line.toString().trim();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One number of its statistics, by the text protocol. */
    public long stat(String name) {
        return lines("stats").stream()
                .filter(line -> line.startsWith("STAT " + name + ' '))
                .mapToLong(line ->
                        Long.parseLong(line.substring(line.lastIndexOf(' ') + 1).trim()))
                .findFirst()
                .orElseThrow();
    }

    /** The keys of what it holds without an end, by the text protocol; not for the embedded kind, which cannot tell. */
    List<String> keysForEver() {
        return lines("lru_crawler metadump all").stream()
                .filter(line -> line.contains(" exp=-1 "))
                .map(line -> line.substring("key=".length(), line.indexOf(' ')))
                .map(key -> URLDecoder.decode(key, StandardCharsets.UTF_8))
                .toList();
    }

    private List<String> lines(String command) {
        try (Socket socket = new Socket(LOOPBACK, port())) {
            socket.setSoTimeout((int) TIMEOUT.toMillis());
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            BufferedReader answer =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
            return answer.lines().takeWhile(line -> !line.equals("END")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As kill -9 does. Its connections break, what it held is lost. */
    public void kill() {
        run.kill();
    }

    /** Starts it again, on its port; kills it before if it runs. Returns when it takes connections. */
    public void restart() {
        kill();
        run.start();
        awaitListening();
    }

    /** As SIGSTOP does: connections stay open and new ones are taken by the system, but nothing answers. */
    public void freeze() {
        run.freeze();
    }

    /** Ends {@link #freeze()}. What was sent meanwhile is then done. */
    public void thaw() {
        run.thaw();
    }

    @Override
    public void close() {
        if (RUNNING.remove(run)) {
            run.delete();
        }
    }

    @Override
    public String toString() {
        return "MemcachedServer[" + address() + "]";
    }

    private void awaitListening() {
        AtomicBoolean ended = new AtomicBoolean();
        Await.until(() -> this + " takes connections; it logged:\n" + run.log(), () -> {
            ended.set(!run.isAlive());
            return ended.get() || listens();
        });
        if (ended.get()) {
            throw new IllegalStateException(this + " ended before it took connections; it logged:\n" + run.log());
        }
    }

    private boolean listens() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(LOOPBACK, port()), SOCKET_TIMEOUT_MILLIS);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** What a server is started with. */
    public static final class Builder {
        private final List<String> arguments = new ArrayList<>();
        private final Map<String, String> files = new LinkedHashMap<>();
        private ServerKind kind;

        private Builder() {}

        /** An option of memcached with its value, for instance {@code option("-m", "1")}; not for the embedded kind. */
        public Builder option(String... option) {
            arguments.addAll(List.of(option));
            return this;
        }

        /** Demands credentials, and knows nobody. Needs a memcached with SASL. */
        public Builder sasl() {
            files.put("memcached.conf", "mech_list: plain\n");
            return option("-S");
        }

        /** Another kind than that of this machine. */
        Builder kind(ServerKind other) {
            kind = other;
            return this;
        }

        /**
         * Starts it and returns when it takes connections.
         *
         * @throws IllegalStateException if this machine has no server, or if the server ends or does not listen in time; the
         *     message has its log
         */
        public MemcachedServer start() {
            ServerKind chosen = kind == null ? ServerKind.ofThisMachine() : kind;
            for (int tried = 1; ; tried++) {
                ServerRun run = chosen.run(Ports.free(), arguments, files);
                MemcachedServer server = new MemcachedServer(run);
                RUNNING.add(run);
                try {
                    run.start();
                    server.awaitListening();
                    if (PRINTED.add(chosen)) {
                        System.out.println("Servers of the tests: memcached " + chosen + ", " + run.origin());
                    }
                    return server;
                } catch (RuntimeException e) {
                    server.close();
                    if (tried == PORTS_TRIED || !run.log().contains("in use")) {
                        throw e;
                    }
                }
            }
        }
    }
}
