package io.dogpile.redis;

import io.dogpile.cache.processes.Await;
import io.dogpile.cache.servers.Ports;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import redis.clients.jedis.HostAndPort;

/**
 * The network between a client and a server, with faults on request, on a port of the loopback address that stays the
 * same. A fault holds for the connections there are and for those to come, until {@link #heal()} or the next fault; bytes
 * that are on their way through when it begins may still arrive. Thread-safe.
 */
public final class Proxy implements AutoCloseable {
    private static final int CHUNK_BYTES = 16 * 1024;
    private static final int CHUNKS_UNDER_WAY = 256;
    private static final int CONNECT_MILLIS = 2_000;
    private static final int PORTS_TRIED = 5;

    private enum Fault {
        NONE,
        CUT,
        BLACK_HOLE,
        NO_REPLIES,
        CLOSED
    }

    private final HostAndPort server;
    private final int port;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();

    private final Lock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /** Guarded by lock for writing. */
    private volatile Fault fault = Fault.NONE;
    /** Guarded by lock; open unless the fault is CUT or CLOSED. */
    private ServerSocket listener;

    /** Guarded by lock; takes the connections of the listener. */
    private Thread acceptor;

    private volatile Duration delay = Duration.ZERO;
    private final AtomicLong repliesDelayed = new AtomicLong();
    private final AtomicLong repliesLost = new AtomicLong();

    private Proxy(HostAndPort server, ServerSocket listener) {
        this.server = server;
        this.port = listener.getLocalPort();
        listen(listener);
    }

    /** A network without faults before the server. */
    public static Proxy before(RedisServer server) {
        return before(server.hostAndPort());
    }

    /** A network without faults before whatever listens there. */
    public static Proxy before(HostAndPort server) {
        for (int tried = 1; ; tried++) {
            try {
                return new Proxy(server, open(Ports.free()));
            } catch (IOException taken) {
                if (tried == PORTS_TRIED) {
                    throw new UncheckedIOException(taken);
                }
            }
        }
    }

    /** Where clients connect. */
    public HostAndPort hostAndPort() {
        return new HostAndPort("127.0.0.1", port);
    }

    /** Breaks every connection and refuses new ones, as when the server's process has ended. */
    public void cut() {
        end(Fault.CUT);
    }

    /**
     * Takes connections and keeps them, and passes nothing in either direction, as a network that loses every packet. What
     * was sent is not lost: it arrives after {@link #heal()}, even when the client has given up, as packets do that are sent
     * again.
     */
    public void blackHole() {
        fail(Fault.BLACK_HOLE);
    }

    /** Passes requests, so that the server does what they say; its replies and its messages vanish for ever. */
    public void dropReplies() {
        fail(Fault.NO_REPLIES);
    }

    /** What the server sends arrives this much later, in order and however much it is. Zero ends it. */
    public void delay(Duration ofReplies) {
        delay = ofReplies;
    }

    /** How many pieces of replies have met a delay so far: each will be as late, though the delay ends meanwhile. */
    public long repliesDelayed() {
        return repliesDelayed.get();
    }

    /** Ends every fault and the delay. Connections that have lost a reply are broken: what follows would be misread. */
    public void heal() {
        delay = Duration.ZERO;
        fail(Fault.NONE);
        links.stream().filter(link -> link.lostReplies).forEach(Link::close);
    }

    /** How many pieces of replies have vanished so far: as soon as it grows, the server has done what it was asked. */
    public long repliesLost() {
        return repliesLost.get();
    }

    /** How many connections there are. */
    public int connections() {
        return links.size();
    }

    @Override
    public void close() {
        end(Fault.CLOSED);
    }

    private void end(Fault last) {
        Thread accepting;
        lock.lock();
        try {
            if (fault == Fault.CLOSED && last == Fault.CLOSED) {
                return;
            }
            become(last);
            closeQuietly(listener);
            accepting = acceptor;
        } finally {
            lock.unlock();
        }
        links.forEach(Link::close);
        // While a thread waits for connections, newer JVMs put off the end of a closed listener until it has left.
        Await.until("nobody accepts on port " + port, () -> !accepting.isAlive());
    }

    private void fail(Fault next) {
        lock.lock();
        try {
            if (fault == Fault.CUT) {
                listen(open(port));
            }
            become(next);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen again on port " + port, e);
        } finally {
            lock.unlock();
        }
    }

    private void become(Fault next) {
        if (fault == Fault.CLOSED) {
            throw new IllegalStateException("the proxy is closed");
        }
        fault = next;
        changed.signalAll();
    }

    private boolean isCut() {
        return fault == Fault.CUT || fault == Fault.CLOSED;
    }

    private static ServerSocket open(int port) throws IOException {
        ServerSocket socket = new ServerSocket();
        try {
            // Else the connections that were cut hold the port for a minute.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private void listen(ServerSocket socket) {
        listener = socket;
        acceptor = daemon("proxy " + port, () -> accept(socket));
    }

    private void accept(ServerSocket socket) throws IOException {
        while (!socket.isClosed()) {
            Socket client = socket.accept();
            Link link = new Link(client);
            links.add(link);
            // Cut a moment ago: nobody else would close it.
            if (isCut()) {
                link.close();
            } else {
                daemon("proxy " + port + " requests", link::passRequests);
            }
        }
    }

    /** Waits while nothing may pass; throws when nothing ever will. */
    private void awaitPassage() throws IOException, InterruptedException {
        lock.lock();
        try {
            while (fault == Fault.BLACK_HOLE) {
                changed.await();
            }
            if (isCut()) {
                throw new IOException("the connection is cut");
            }
        } finally {
            lock.unlock();
        }
    }

    private static Thread daemon(String name, Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException | InterruptedException ended) {
                        // Either side has closed: that is how these threads end.
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void closeQuietly(Closeable closed) {
        try {
            closed.close();
        } catch (IOException alreadyBroken) {
            // Then it is closed as well.
        }
    }

    private interface Task {
        void run() throws IOException, InterruptedException;
    }

    private record Chunk(byte[] bytes, long sinceNanos) {
        static final Chunk END = new Chunk(new byte[0], 0);
    }

    /** One connection of a client and its own to the server. */
    private final class Link {
        private final Socket client;
        private final Socket upstream = new Socket();
        private final BlockingQueue<Chunk> replies = new LinkedBlockingQueue<>(CHUNKS_UNDER_WAY);
        private volatile boolean lostReplies;

        Link(Socket client) {
            this.client = client;
        }

        void passRequests() throws IOException, InterruptedException {
            try {
                client.setTcpNoDelay(true);
                upstream.setTcpNoDelay(true);
                upstream.connect(new InetSocketAddress(server.getHost(), server.getPort()), CONNECT_MILLIS);
                daemon("proxy " + port + " replies", this::takeReplies);
                daemon("proxy " + port + " late replies", this::passReplies);
                InputStream in = client.getInputStream();
                OutputStream out = upstream.getOutputStream();
                byte[] chunk = new byte[CHUNK_BYTES];
                for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                    awaitPassage();
                    out.write(chunk, 0, read);
                }
                awaitPassage();
            } finally {
                close();
            }
        }

        private void takeReplies() throws IOException, InterruptedException {
            try {
                InputStream in = upstream.getInputStream();
                byte[] chunk = new byte[CHUNK_BYTES];
                for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                    replies.put(new Chunk(Arrays.copyOf(chunk, read), System.nanoTime()));
                }
            } finally {
                replies.put(Chunk.END);
            }
        }

        private void passReplies() throws IOException, InterruptedException {
            try {
                OutputStream out = client.getOutputStream();
                for (Chunk chunk = replies.take(); chunk != Chunk.END; chunk = replies.take()) {
                    Duration later = delay;
                    if (!later.isZero()) {
                        repliesDelayed.incrementAndGet();
                    }
                    TimeUnit.NANOSECONDS.sleep(later.toNanos() - (System.nanoTime() - chunk.sinceNanos));
                    awaitPassage();
                    if (fault == Fault.NO_REPLIES) {
                        lostReplies = true;
                        repliesLost.incrementAndGet();
                    } else if (lostReplies) {
                        return;
                    } else {
                        out.write(chunk.bytes);
                    }
                }
                awaitPassage();
            } finally {
                close();
                // Nobody takes from the queue any more, and its other end must not wait for ever.
                replies.clear();
            }
        }

        void close() {
            closeQuietly(client);
            closeQuietly(upstream);
            links.remove(this);
        }
    }
}
