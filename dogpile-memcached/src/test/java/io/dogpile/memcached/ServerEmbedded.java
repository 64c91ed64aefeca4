package io.dogpile.memcached;

import io.dogpile.cache.servers.ServerRun;
import java.util.List;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.server.memcached.MemcachedServer;
import org.infinispan.server.memcached.configuration.MemcachedServerConfigurationBuilder;

/** Infinispan's server of memcached's protocol in this JVM: for the client's side, not for what memcached itself does. */
final class ServerEmbedded implements ServerRun {
    private static final String CACHE = "mc";

    private final int port;
    private DefaultCacheManager caches;
    private MemcachedServer server;

    ServerEmbedded(int port, List<String> arguments) {
        this.port = port;
        if (!arguments.isEmpty()) {
            throw new IllegalStateException("the embedded server takes no options, was given " + arguments);
        }
    }

    /** Fails to link where it is not. */
    static boolean isOnClassPath() {
        return MemcachedServer.class.getName() != null;
    }

    @Override
    public void start() {
        caches = new DefaultCacheManager(new GlobalConfigurationBuilder().build(), true);
        ConfigurationBuilder bytes = new ConfigurationBuilder();
        bytes.encoding().mediaType("application/octet-stream");
        caches.defineConfiguration(CACHE, bytes.build());
        server = new MemcachedServer();
        server.start(
                new MemcachedServerConfigurationBuilder()
                        .host("127.0.0.1")
                        .port(port)
                        .defaultCacheName(CACHE)
                        .build(),
                caches);
    }

    @Override
    public boolean isAlive() {
        return server != null;
    }

    @Override
    public long pid() {
        return ProcessHandle.current().pid();
    }

    @Override
    public void kill() {
        if (server != null) {
            server.stop();
            caches.stop();
            server = null;
        }
    }

    @Override
    public void freeze() {
        throw new IllegalStateException("the embedded server cannot be frozen");
    }

    @Override
    public void thaw() {
        throw new IllegalStateException("the embedded server cannot be frozen");
    }

    @Override
    public void delete() {
        kill();
    }

    @Override
    public String log() {
        return "";
    }

    @Override
    public String origin() {
        return "Infinispan in this JVM";
    }
}
