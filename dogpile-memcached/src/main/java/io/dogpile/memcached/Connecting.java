package io.dogpile.memcached;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.DefaultHashAlgorithm;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.auth.AuthDescriptor;
import net.spy.memcached.auth.PlainCallbackHandler;
import org.jspecify.annotations.Nullable;

/** Where the servers are, and how to reach them: the user's own client, or what one is made of. */
final class Connecting {
    static final Duration DEFAULT_TIMEOUT = Duration.ofMillis(500);
    static final String OF_THE_USER = "of a client that was given";

    private static final String DEFAULT_SERVER = "localhost:11211";

    /** In seconds: the client's own default is 30, doubled from 2. */
    private static final long LONGEST_RECONNECT_DELAY = 1;

    /** So many calls in a row without an answer, and the connection is opened anew: its other end may be gone. */
    private static final int TIMEOUTS_UNTIL_RECONNECT = 20;

    private static final String[] MECHANISMS = {"PLAIN"};

    private @Nullable MemcachedClient client;
    private List<String> servers = List.of();
    private @Nullable String user;
    private @Nullable String password;
    private @Nullable Duration timeout;

    void client(MemcachedClient given) {
        client = given;
    }

    void servers(String... given) {
        if (given.length == 0) {
            throw new IllegalArgumentException("servers needs at least one 'host:port'");
        }
        List<String> parsed = new ArrayList<>();
        for (String text : given) {
            int colon = text.lastIndexOf(':');
            String host = text.substring(0, Math.max(0, colon));
            if (host.isBlank() || !host.equals(host.strip()) || host.contains(",") || port(text, colon) == 0) {
                throw new IllegalArgumentException(
                        "servers takes 'host:port', one text for each server, was '" + text + "'");
            }
            parsed.add(text);
        }
        servers = List.copyOf(parsed);
    }

    /** From 1 to 65535, or 0 if it is none. */
    private static int port(String text, int colon) {
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            return port < 1 || port > 65_535 ? 0 : port;
        } catch (NumberFormatException notANumber) {
            return 0;
        }
    }

    private static InetSocketAddress address(String server) {
        int colon = server.lastIndexOf(':');
        InetSocketAddress address = new InetSocketAddress(server.substring(0, colon), port(server, colon));
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("servers: no address is known of the host in '" + server
                    + "'; the name must resolve when it is built");
        }
        return address;
    }

    void credentials(String ofUser, String itsPassword) {
        user = Objects.requireNonNull(ofUser, "user");
        password = Objects.requireNonNull(itsPassword, "password");
    }

    void timeout(Duration given) {
        if (given.toMillis() < 1 || given.compareTo(Duration.ofMinutes(1)) > 0) {
            throw new IllegalArgumentException("timeout must be from a millisecond to a minute, was " + given);
        }
        timeout = given;
    }

    Duration timeout() {
        return timeout != null ? timeout : client != null ? Server.timeoutOf(client) : DEFAULT_TIMEOUT;
    }

    /** Refuses what contradicts itself. */
    void check() {
        if (client != null) {
            String own = !servers.isEmpty()
                    ? "servers " + servers
                    : password != null ? "credentials" : timeout != null ? "timeout " + timeout : null;
            if (own != null) {
                throw new IllegalArgumentException("the client that was given has its own settings, and " + own
                        + " would not be used: give it to the client");
            }
            Server.check(client);
        }
    }

    Server.Owner owner() {
        return client != null ? Server.Owner.USER : Server.Owner.THIS;
    }

    MemcachedClient connect() {
        if (client != null) {
            return client;
        }
        List<InetSocketAddress> addresses =
                all().stream().map(Connecting::address).toList();
        ConnectionFactoryBuilder factory = new ConnectionFactoryBuilder()
                .setProtocol(ConnectionFactoryBuilder.Protocol.BINARY)
                .setFailureMode(FailureMode.Cancel)
                .setDaemon(true)
                .setOpTimeout(timeout().toMillis())
                .setOpQueueMaxBlockTime(timeout().toMillis())
                .setAuthWaitTime(timeout().toMillis())
                .setMaxReconnectDelay(LONGEST_RECONNECT_DELAY)
                .setTimeoutExceptionThreshold(TIMEOUTS_UNTIL_RECONNECT);
        if (addresses.size() > 1) { // for one, there is no need to hash
            factory.setLocatorType(ConnectionFactoryBuilder.Locator.CONSISTENT)
                    .setHashAlg(DefaultHashAlgorithm.KETAMA_HASH);
        }
        if (user != null && password != null) {
            factory.setAuthDescriptor(new AuthDescriptor(MECHANISMS, new PlainCallbackHandler(user, password)));
        }
        try {
            return new MemcachedClient(factory.build(), addresses);
        } catch (IOException e) {
            throw new IllegalArgumentException("memcached " + this + ": cannot make connections", e);
        }
    }

    private List<String> all() {
        return servers.isEmpty() ? List.of(DEFAULT_SERVER) : servers;
    }

    /** Where the servers are; never how to log in. */
    @Override
    public String toString() {
        return client != null ? OF_THE_USER : String.join(", ", all());
    }
}
