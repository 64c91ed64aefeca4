package io.dogpile.benchmarks;

import io.dogpile.memcached.MemcachedServer;
import io.dogpile.redis.CommandCount;
import io.dogpile.redis.CommandCount.Command;
import io.dogpile.redis.RedisServer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The commands that clients sent, by name; without what scripts call, what keeps connections up, and what a backend sends
 * by the clock, however little or much it is used: its heartbeats, and its look after generations each second.
 */
record ClientCommands(Map<String, Long> byName) {
    /** Something to count the commands of. */
    @FunctionalInterface
    interface Counted {
        void run() throws Exception;
    }

    static ClientCommands of(RedisServer server, Counted counted) throws Exception {
        try (CommandCount count = CommandCount.on(server)) {
            counted.run();
            return new ClientCommands(count.commands(command -> !command.isUpkeep() && !isByTheClock(command)).stream()
                    .collect(Collectors.groupingBy(
                            command -> command.name().toLowerCase(Locale.ROOT), TreeMap::new, Collectors.counting())));
        }
    }

    /**
     * As the server itself counts them. It does not tell what it was asked for; so what is sent by the clock is among them: the
     * look after a region's two marks, each second.
     */
    static ClientCommands of(MemcachedServer server, Counted counted) throws Exception {
        Map<String, Long> before = told(server);
        counted.run();
        Map<String, Long> since = told(server);
        since.replaceAll((name, number) -> number - Objects.requireNonNull(before.get(name)));
        since.values().removeIf(number -> number == 0);
        return new ClientCommands(since);
    }

    private static Map<String, Long> told(MemcachedServer server) {
        Map<String, Long> told = new TreeMap<>();
        told.put("get", server.stat("cmd_get"));
        told.put("set, add, cas", server.stat("cmd_set"));
        told.put("delete", server.stat("delete_hits") + server.stat("delete_misses"));
        return told;
    }

    static boolean isByTheClock(Command command) {
        List<String> arguments = command.arguments();
        if (command.is("PUBLISH")) {
            return arguments.get(0).contains("~in:") && arguments.get(1).startsWith("H");
        }
        boolean hasOneKey = command.is("EVAL", "EVALSHA")
                && arguments.size() > 2
                && arguments.get(1).equals("1");
        return hasOneKey && arguments.get(2).endsWith("~generation");
    }

    long total() {
        return byName.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Such as "get 8, set 4". */
    @Override
    public String toString() {
        return byName.entrySet().stream()
                .map(entry -> entry.getKey() + ' ' + entry.getValue())
                .collect(Collectors.joining(", "));
    }
}
