package io.dogpile.cache.servers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds ports of the loopback address that nobody listens on.
 *
 * <p>They lie below the range that Linux and macOS take for outgoing connections. A port out of that range can be lost
 * while its server is down, even to the client that tries to reconnect: it is then connected with itself.
 */
public final class Ports {
    /** A node of a Redis cluster also listens on its port plus this. */
    private static final int BUS = 10_000;

    private static final int LOWEST = 11_000;
    private static final int END = 22_000;
    private static final int ATTEMPTS = 200;

    private Ports() {}

    /** A port that is free now, as is the one of a cluster bus beside it. Another process may still take it. */
    public static int free() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, END);
            if (isFree(port) && isFree(port + BUS)) {
                return port;
            }
        }
        throw new IllegalStateException("no free port found from " + LOWEST + " to " + END);
    }

    private static boolean isFree(int port) {
        try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return probe.isBound();
        } catch (IOException taken) {
            return false;
        }
    }
}
