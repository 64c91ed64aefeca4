package io.dogpile.redis;

import java.io.File;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.SslVerifyMode;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.util.JedisURIHelper;

/** Where the server is, and how to reach it: the user's own client, or what one is made of. */
final class Connecting {
    private static final HostAndPort DEFAULT_SERVER = new HostAndPort("localhost", 6379);
    private static final int DEFAULT_CONNECTIONS = 16;
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(1);

    /** Where the server is; at most one is given. */
    private enum Place {
        DEFAULT,
        CLIENT,
        SERVER,
        SENTINELS,
        CLUSTER
    }

    private Place place = Place.DEFAULT;
    private @Nullable UnifiedJedis client;
    private Set<HostAndPort> hosts = Set.of(DEFAULT_SERVER);
    private String master = "";
    private @Nullable String sentinelUser;
    private @Nullable String sentinelPassword;
    private @Nullable String user;
    private @Nullable String password;
    private @Nullable Integer database;
    private SslOptions.@Nullable Builder tls;
    private @Nullable Duration timeout;
    private @Nullable Integer connections;
    private Duration poolWait = DEFAULT_TIMEOUT;

    void client(UnifiedJedis given) {
        at(Place.CLIENT);
        client = given;
    }

    void server(String host, int port) {
        at(Place.SERVER);
        hosts = Set.of(hostAndPort(host, port));
    }

    void url(String url) {
        URI uri;
        try {
            uri = URI.create(url);
        } catch (IllegalArgumentException malformed) {
            throw new IllegalArgumentException("not a URL such as redis://host:6379/0");
        }
        boolean isRedis = "redis".equals(uri.getScheme()) || "rediss".equals(uri.getScheme());
        if (!isRedis || uri.getHost() == null) {
            throw new IllegalArgumentException(
                    "a URL such as redis://host:6379/0 or rediss://host:6379/0 is needed, the scheme was '"
                            + uri.getScheme() + "' and the host '" + uri.getHost() + "'");
        }
        server(uri.getHost(), uri.getPort() == -1 ? DEFAULT_SERVER.getPort() : uri.getPort());
        if ("rediss".equals(uri.getScheme())) {
            tls();
        }
        String userInUrl = JedisURIHelper.getUser(uri);
        String passwordInUrl = JedisURIHelper.getPassword(uri);
        if (passwordInUrl != null) {
            credentials(userInUrl == null ? "" : userInUrl, passwordInUrl);
        } else if (userInUrl != null) {
            throw new IllegalArgumentException(
                    "the URL names a user and no password; a password alone is written redis://:password@host");
        }
        if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "nothing behind the database of a URL is used: give what stands behind '?' or '#' to the builder");
        }
        String path = uri.getPath();
        if (path != null && path.length() > 1) {
            try {
                database(Integer.parseInt(path.substring(1)));
            } catch (NumberFormatException notANumber) {
                throw new IllegalArgumentException(
                        "the database in a URL is a number, was '" + path.substring(1) + "'", notANumber);
            }
        }
    }

    void sentinels(String ofMaster, String... at) {
        at(Place.SENTINELS);
        master = Objects.requireNonNull(ofMaster, "master");
        hosts = parsed("sentinels", at);
    }

    void sentinelCredentials(String ofUser, String itsPassword) {
        sentinelUser = ofUser.isEmpty() ? null : ofUser;
        sentinelPassword = Objects.requireNonNull(itsPassword, "password");
    }

    void cluster(String... nodes) {
        at(Place.CLUSTER);
        hosts = parsed("cluster", nodes);
    }

    private void at(Place next) {
        if (place != Place.DEFAULT && place != next) {
            throw new IllegalArgumentException("either " + place + " or " + next + " can be given, not both");
        }
        place = next;
    }

    private static Set<HostAndPort> parsed(String option, String... texts) {
        if (texts.length == 0) {
            throw new IllegalArgumentException(option + " needs at least one 'host:port'");
        }
        Set<HostAndPort> parsed = new LinkedHashSet<>();
        for (String text : texts) {
            int colon = text.lastIndexOf(':');
            try {
                parsed.add(hostAndPort(
                        text.substring(0, Math.max(0, colon)), Integer.parseInt(text.substring(colon + 1))));
            } catch (IllegalArgumentException malformed) {
                throw new IllegalArgumentException(option + " takes 'host:port', was '" + text + "'", malformed);
            }
        }
        return parsed;
    }

    private static HostAndPort hostAndPort(String host, int port) {
        if (host.isEmpty() || port < 1 || port > 65_535) {
            throw new IllegalArgumentException(
                    "a host and a port from 1 to 65535 are needed, were '" + host + "' and " + port);
        }
        return new HostAndPort(host, port);
    }

    void credentials(String ofUser, String itsPassword) {
        user = ofUser.isEmpty() ? null : ofUser;
        password = Objects.requireNonNull(itsPassword, "password");
    }

    void database(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("the database must not be negative, was " + number);
        }
        database = number;
    }

    void tls() {
        if (tls == null) {
            tls = SslOptions.builder().sslVerifyMode(SslVerifyMode.FULL);
        }
    }

    void tls(File truststore, char[] itsPassword, String type) {
        tls = SslOptions.builder()
                .sslVerifyMode(SslVerifyMode.FULL)
                .truststore(truststore, itsPassword.clone())
                .trustStoreType(type);
    }

    void timeout(Duration given) {
        if (given.toMillis() < 1 || given.toMillis() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("timeout must be from a millisecond to 24 days, was " + given);
        }
        timeout = given;
    }

    void pool(int size, Duration wait) {
        if (size < 1 || wait.isNegative() || wait.isZero()) {
            throw new IllegalArgumentException(
                    "a pool needs at least 1 connection and a positive wait, were " + size + " and " + wait);
        }
        connections = size;
        poolWait = wait;
    }

    /** Refuses what contradicts itself. */
    void check() {
        if (place == Place.CLIENT) {
            String own = password != null
                    ? "credentials"
                    : database != null
                            ? "database " + database
                            : tls != null
                                    ? "tls"
                                    : timeout != null
                                            ? "timeout " + timeout
                                            : connections != null ? "pool of " + connections : null;
            if (own != null) {
                throw new IllegalArgumentException("the client that was given has its own settings, and " + own
                        + " would not be used: give it to the client");
            }
        }
        if (place != Place.SENTINELS && sentinelPassword != null) {
            throw new IllegalArgumentException("sentinelCredentials are for sentinels, and the server is " + this);
        }
        if (place == Place.CLUSTER && database != null && database != 0) {
            throw new IllegalArgumentException("a cluster has database 0 only, was " + database);
        }
    }

    void checkAgainst(RedisNode.Reads reads) {
        if (place == Place.CLUSTER && reads == RedisNode.Reads.STRICT) {
            throw new IllegalArgumentException("strictInvalidation needs one server, alone or under Sentinel; " + this
                    + " may keep a region's generations and its values on different nodes");
        }
    }

    Server.Owner owner() {
        return place == Place.CLIENT ? Server.Owner.USER : Server.Owner.THIS;
    }

    UnifiedJedis connect() {
        if (client != null) {
            return client;
        }
        return switch (place) {
            case SENTINELS ->
                RedisSentinelClient.builder()
                        .masterName(master)
                        .sentinels(hosts)
                        .sentinelClientConfig(sentinelConfig())
                        .clientConfig(config())
                        .poolConfig(pool())
                        .build();
            case CLUSTER ->
                RedisClusterClient.builder()
                        .nodes(hosts)
                        .clientConfig(config())
                        .poolConfig(pool())
                        // Else a node that hangs is asked five times.
                        .maxTotalRetriesDuration(timeout())
                        .build();
            default ->
                RedisClient.builder()
                        .hostAndPort(hosts.iterator().next())
                        .clientConfig(config())
                        .poolConfig(pool())
                        .build();
        };
    }

    private DefaultJedisClientConfig sentinelConfig() {
        DefaultJedisClientConfig.Builder config = timeouts(DefaultJedisClientConfig.builder())
                .autoNegotiateProtocol(false); // which Jedis would warn of, for each Sentinel
        if (sentinelPassword != null) {
            config.user(sentinelUser).password(sentinelPassword);
        }
        if (tls != null) {
            config.sslOptions(tls.build());
        }
        return config.build();
    }

    private DefaultJedisClientConfig config() {
        DefaultJedisClientConfig.Builder config =
                timeouts(DefaultJedisClientConfig.builder()).protocol(RedisProtocol.RESP2);
        if (password != null) {
            config.user(user).password(password);
        }
        if (database != null) {
            config.database(database);
        }
        if (tls != null) {
            config.sslOptions(tls.build());
        }
        return config.build();
    }

    private DefaultJedisClientConfig.Builder timeouts(DefaultJedisClientConfig.Builder config) {
        return config.timeoutMillis((int) timeout().toMillis());
    }

    private Duration timeout() {
        return timeout == null ? DEFAULT_TIMEOUT : timeout;
    }

    private ConnectionPoolConfig pool() {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        int most = connections == null ? DEFAULT_CONNECTIONS : connections;
        pool.setMaxTotal(most);
        pool.setMaxIdle(most);
        pool.setMaxWait(poolWait);
        pool.setJmxEnabled(false);
        return pool;
    }

    /** Where the server is; never how to log in. */
    @Override
    public String toString() {
        return switch (place) {
            case CLIENT -> "of a client that was given";
            case SENTINELS -> "'" + master + "' by sentinels " + hosts;
            case CLUSTER -> "cluster " + hosts;
            default -> String.valueOf(hosts.iterator().next());
        };
    }
}
