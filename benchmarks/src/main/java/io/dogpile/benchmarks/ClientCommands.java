package io.dogpile.benchmarks;

import io.dogpile.redis.CommandCount;
import io.dogpile.redis.CommandCount.Command;
import io.dogpile.redis.RedisServer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
