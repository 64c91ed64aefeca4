package io.dogpile.memcached;

import io.dogpile.cache.processes.Await;
import io.dogpile.cache.servers.LoopbackServer;
import io.dogpile.cache.servers.ServerChoice;
import io.dogpile.cache.servers.ServerContainer;
import io.dogpile.cache.servers.ServerKind;
import io.dogpile.cache.servers.ServerProcess;
import io.dogpile.cache.servers.ServerRun;
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
import java.util.stream.Stream;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;

/**
 * A memcached server for tests, of the {@linkplain #kindOfThisMachine() kind of this machine}, unless one is asked for. No
 * server at all is a failure, never a skip.
 */
public final class MemcachedServer extends LoopbackServer {
    /** How long a client made here waits for an answer. */
    public static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final int SOCKET_TIMEOUT_MILLIS = 500;
    private static final ServerChoice CHOICE = new ServerChoice("memcached", () -> ServerEmbedded.isOnClassPath());
    private static final String IMAGE = "memcached:1.6-alpine";
    private static final String IMAGES_FOLDER = "/tmp/files";

    /** The variable with the folder of the files. */
    private static final String FOLDER = "SASL_CONF_PATH";

    private MemcachedServer(ServerRun run, int port) {
        super(run, port);
    }

    /** See {@link ServerChoice#kind()}. */
    static ServerKind kindOfThisMachine() {
        return CHOICE.kind();
    }

    /** Starts one with no option but those that keep it on loopback. */
    public static MemcachedServer start() {
        return builder().start();
    }

    public static Builder builder() {
        return new Builder();
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

    @Override
    protected boolean answers() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(LOOPBACK, port()), SOCKET_TIMEOUT_MILLIS);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    @Override
    protected String product() {
        return "memcached";
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
            ServerKind chosen = kind == null ? CHOICE.kind() : kind;
            return onFreePort(chosen, port -> new MemcachedServer(run(chosen, port), port));
        }

        private ServerRun run(ServerKind chosen, int port) {
            return switch (chosen) {
                case DOCKER ->
                    new ServerContainer(
                            IMAGE, command("memcached", port), IMAGES_FOLDER, files, Map.of(FOLDER, IMAGES_FOLDER));
                case LOCAL -> new ServerProcess(command(CHOICE.local().toString(), port), files, Map.of(FOLDER, "."));
                case EMBEDDED -> new ServerEmbedded(port, arguments);
            };
        }

        private List<String> command(String binary, int port) {
            // Who it runs as counts for root alone, who must say so.
            Stream<String> always =
                    Stream.of(binary, "-l", LOOPBACK, "-U", "0", "-p", Integer.toString(port), "-u", "root");
            return Stream.concat(always, arguments.stream()).toList();
        }
    }
}
