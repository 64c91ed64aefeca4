package io.dogpile.redis;

import io.dogpile.cache.processes.Await;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisException;

/**
 * The commands that clients send to servers, exactly: by MONITOR, without what scripts call.
 *
 * <p>Begins where it is made. Every look sends a marker first and waits for it, so that all is there which was answered
 * before. Slows the server down: not for measuring time. A server that ends meanwhile makes the next look fail. For one thread at a time.
 */
public final class CommandCount implements AutoCloseable {
    private final List<Monitor> monitors;

    private CommandCount(List<Monitor> monitors) {
        this.monitors = monitors;
    }

    /** Counts on these servers from now on. */
    public static CommandCount on(RedisServer... servers) {
        List<Monitor> started = new ArrayList<>();
        try {
            for (RedisServer server : servers) {
                started.add(new Monitor(server));
            }
            return new CommandCount(List.copyOf(started));
        } catch (RuntimeException e) {
            started.forEach(Monitor::close);
            throw e;
        }
    }

    /** Counts on every node of the cluster from now on. */
    public static CommandCount on(RedisCluster cluster) {
        return on(cluster.nodes().toArray(RedisServer[]::new));
    }

    /** All so far, server by server, in the order in which each of them did them. */
    public List<Command> commands() {
        return monitors.stream().flatMap(Monitor::seen).toList();
    }

    public List<Command> commands(Predicate<Command> which) {
        return commands().stream().filter(which).toList();
    }

    /** How many so far, without {@linkplain Command#isUpkeep() upkeep of connections}. */
    public long total() {
        return count(command -> !command.isUpkeep());
    }

    public long count(Predicate<Command> which) {
        return commands(which).size();
    }

    /** Forgets all so far. */
    public void reset() {
        monitors.forEach(Monitor::reset);
    }

    @Override
    public void close() {
        monitors.forEach(Monitor::close);
    }

    /**
     * One command of a client.
     *
     * @param address of the client's end of the connection, with the port
     * @param client the name that the connection had given itself; empty without one. Before Redis 7, that of a connection
     *     made after the count is only known if it is still there at the look
     * @param name in upper case
     * @param arguments as MONITOR quotes them: bytes that are not printable as {@code \x00}; each cut at 500 characters
     */
    public record Command(String address, String client, String name, List<String> arguments) {
        private static final Set<String> UPKEEP = Set.of("AUTH", "CLIENT", "HELLO", "PING", "QUIT", "SELECT");

        /** Whether it has one of these names, in any case. */
        public boolean is(String... names) {
            return Stream.of(names).anyMatch(name::equalsIgnoreCase);
        }

        /** What a client sends to make, name, test and end a connection. */
        public boolean isUpkeep() {
            return UPKEEP.contains(name);
        }

        @Override
        public String toString() {
            return name + " " + String.join(" ", arguments);
        }
    }

    /** One server's. A thread reads the lines; the lock is never held over a read. */
    private static final class Monitor {
        /** The name of the connections that send markers, which are not counted, and how the markers begin. */
        private static final String MARKER = "command-count";

        private static final int MAX_ARGUMENT_CHARS = 500;
        private static final int MAX_COMMANDS = 1_000_000;
        private static final Pattern LINE = Pattern.compile("\\S+ \\[\\d+ (\\S+)\\] (.*)");
        private static final Pattern LISTED = Pattern.compile("\\baddr=(\\S+) .*?\\bname=(\\S*) ");

        private final RedisServer server;
        private final Connection lines;
        private final Connection markers;

        private final Lock lock = new ReentrantLock();
        /** The four below guarded by lock. */
        private final List<Command> seen = new ArrayList<>();

        private final Map<String, String> clients = new HashMap<>();
        private String lastMarker = "";
        private JedisException end;

        Monitor(RedisServer server) {
            this.server = server;
            markers = new Connection(server.hostAndPort(), server.configOfOne(MARKER));
            lines = new Connection(server.hostAndPort(), server.configOfOne(MARKER));
            try {
                lines.sendCommand(Protocol.Command.MONITOR);
                lines.getStatusCodeReply();
                lines.setTimeoutInfinite();
                Thread reader = new Thread(this::read, "monitor of " + server);
                reader.setDaemon(true);
                reader.start();
                reset();
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        Stream<Command> seen() {
            mark();
            lock.lock();
            try {
                return seen.stream()
                        .map(command -> command.client().isEmpty() ? withName(command) : command)
                        .filter(command -> !command.client().equals(MARKER))
                        .toList()
                        .stream();
            } finally {
                lock.unlock();
            }
        }

        void reset() {
            mark();
            lock.lock();
            try {
                seen.clear();
            } finally {
                lock.unlock();
            }
        }

        void close() {
            lines.disconnect();
            markers.disconnect();
        }

        /** For connections that were there first; and Redis 6.2 does not show on the monitor how one names itself. */
        private void learnNames() {
            markers.sendCommand(Protocol.Command.CLIENT, "LIST");
            String list = markers.getBulkReply();
            lock.lock();
            try {
                list.lines()
                        .map(LISTED::matcher)
                        .filter(Matcher::find)
                        // One without a name may have got it since, and the reader may have seen that.
                        .filter(client -> !client.group(2).isEmpty())
                        .forEach(client -> clients.put(client.group(1), client.group(2)));
            } finally {
                lock.unlock();
            }
        }

        private void mark() {
            learnNames();
            String marker = MARKER + UUID.randomUUID();
            markers.sendCommand(Protocol.Command.ECHO, marker);
            markers.getBulkReply();
            Await.until("the monitor of " + server + " has seen its marker", () -> hasPassed(marker));
        }

        private boolean hasPassed(String marker) {
            lock.lock();
            try {
                if (end != null) {
                    throw new IllegalStateException("the monitor of " + server + " ended, the count is not known", end);
                }
                return lastMarker.equals(marker);
            } finally {
                lock.unlock();
            }
        }

        private void read() {
            try {
                while (true) {
                    String line = lines.getStatusCodeReply();
                    lock.lock();
                    try {
                        take(line);
                    } finally {
                        lock.unlock();
                    }
                }
            } catch (JedisException e) {
                lock.lock();
                try {
                    end = e;
                } finally {
                    lock.unlock();
                }
                // Else the server would keep lines for us without end.
                lines.disconnect();
            }
        }

        private void take(String line) {
            Matcher parts = LINE.matcher(line);
            if (!parts.matches() || parts.group(1).equals("lua")) {
                return;
            }
            String address = parts.group(1);
            List<String> words = words(parts.group(2));
            String name = words.get(0).toUpperCase(Locale.ROOT);
            List<String> arguments = words.subList(1, words.size());
            if (name.equals("ECHO") && arguments.get(0).startsWith(MARKER)) {
                lastMarker = arguments.get(0);
                return;
            }
            newName(name, arguments).ifPresent(client -> clients.put(address, client));
            if (seen.size() == MAX_COMMANDS) {
                throw new JedisException("more than " + MAX_COMMANDS + " commands; reset now and then");
            }
            seen.add(new Command(address, clients.getOrDefault(address, ""), name, arguments));
        }

        private Command withName(Command command) {
            String client = clients.getOrDefault(command.address(), "");
            return new Command(command.address(), client, command.name(), command.arguments());
        }

        /** By hand: a pattern for these would run out of stack at a long value. */
        private static List<String> words(String quoted) {
            List<String> words = new ArrayList<>();
            int start = quoted.indexOf('"') + 1;
            while (start > 0) {
                int end = start;
                while (quoted.charAt(end) != '"') {
                    end += quoted.charAt(end) == '\\' ? 2 : 1;
                }
                words.add(quoted.substring(start, Math.min(end, start + MAX_ARGUMENT_CHARS)));
                start = quoted.indexOf('"', end + 1) + 1;
            }
            return words;
        }

        /** CLIENT SETNAME x, or HELLO 3 SETNAME x. */
        private static Optional<String> newName(String name, List<String> arguments) {
            if (!name.equals("CLIENT") && !name.equals("HELLO")) {
                return Optional.empty();
            }
            return IntStream.range(0, arguments.size() - 1)
                    .filter(word -> arguments.get(word).equalsIgnoreCase("SETNAME"))
                    .mapToObj(word -> arguments.get(word + 1))
                    .findFirst();
        }
    }
}
