package io.dogpile.core;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/** A network on loopback that changes what servers answer; or, without a server behind it, one that answers as it likes. */
public final class GarblingNetwork implements AutoCloseable {
    private static final int CHUNK_BYTES = 16 * 1024;
    private static final UnaryOperator<byte[]> FAITHFUL = UnaryOperator.identity();

    private final ServerSocket listener;
    private final int server;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile UnaryOperator<byte[]> garble = FAITHFUL;

    private GarblingNetwork(int server) throws IOException {
        this.server = server;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    /** Before the server on that port; faithful at first. */
    public static GarblingNetwork before(int server) throws IOException {
        return new GarblingNetwork(server);
    }

    /** Where nobody listens who knows the protocol: each piece of a request is answered by this. */
    public static GarblingNetwork answering(byte[] always) throws IOException {
        GarblingNetwork network = new GarblingNetwork(0);
        network.garble = request -> always;
        return network;
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** From now on pieces of replies pass through this, which may be called by several threads. */
    public void garble(UnaryOperator<byte[]> by) {
        garble = by;
    }

    /** Faithful again, on new connections: those there are were left out of step. */
    public void heal() {
        garble = FAITHFUL;
        sockets.forEach(GarblingNetwork::close);
    }

    private void accept() throws IOException {
        while (!listener.isClosed()) {
            Socket client = listener.accept();
            sockets.add(client);
            if (server == 0) {
                daemon(() -> pass(client, client, garble));
                continue;
            }
            Socket upstream = new Socket();
            sockets.add(upstream);
            upstream.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server), 2_000);
            daemon(() -> pass(client, upstream, FAITHFUL));
            daemon(() -> pass(upstream, client, piece -> garble.apply(piece)));
        }
    }

    private void pass(Socket from, Socket to, UnaryOperator<byte[]> through) throws IOException {
        try {
            to.setTcpNoDelay(true);
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] chunk = new byte[CHUNK_BYTES];
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                out.write(through.apply(Arrays.copyOf(chunk, read)));
            }
        } finally {
            close(from);
            close(to);
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void daemon(Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException ended) {
                        // Either side has closed: that is how these threads end.
                    }
                },
                "garbling network");
        thread.setDaemon(true);
        thread.start();
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException alreadyBroken) {
            // Then it is closed as well.
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        sockets.forEach(GarblingNetwork::close);
    }
}
