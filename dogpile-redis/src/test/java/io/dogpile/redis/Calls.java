package io.dogpile.redis;

import static java.util.stream.Collectors.toMap;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a backend's callers cost a server: commands and scripts by their names, without what connections, subscriptions and
 * heartbeats take, and without what each node asks of its own each second, or the fixture for its tests.
 */
final class Calls {
    private static final Map<String, String> BY_HASH = Stream.of(RedisScript.values())
            .collect(toMap(
                    script -> new String(RedisScript.Sent.of(script.text()).hash(), StandardCharsets.US_ASCII),
                    Enum::name));
    private static final Pattern HEAD = Pattern.compile("-- ([A-Z]+):");

    private Calls() {}

    /** Such as HMGET, CLAIM, PUBLISH: server by server, in order. */
    static List<String> of(CommandCount count) {
        return count.commands().stream()
                .filter(command -> !command.isUpkeep() && !command.is("CLUSTER", "SUBSCRIBE", "ROLE", "INFO"))
                .filter(command -> !isHeartbeat(command) && !command.client().equals(RedisServer.FIXTURE))
                .map(Calls::name)
                .filter(name -> !name.equals(RedisScript.GENERATION.name()))
                .toList();
    }

    /** How often somebody asked for the generations of a region. */
    static int ofGenerations(CommandCount count) {
        return (int) count.count(command -> name(command).endsWith(RedisScript.GENERATION.name()));
    }

    private static boolean isHeartbeat(CommandCount.Command command) {
        return command.is("PUBLISH")
                && (command.arguments().get(1).startsWith("H")
                        || command.arguments().get(0).equals("__sentinel__:hello")); // what Sentinels tell each other
    }

    private static String name(CommandCount.Command command) {
        if (command.is("EVALSHA")) {
            return BY_HASH.getOrDefault(command.arguments().get(0), command.toString());
        }
        if (command.is("EVAL")) {
            Matcher head = HEAD.matcher(command.arguments().get(0));
            return head.lookingAt() ? "EVAL " + head.group(1) : command.toString();
        }
        return command.name();
    }
}
