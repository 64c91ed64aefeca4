package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.args.Rawable;
import redis.clients.jedis.exceptions.JedisNoScriptException;

/**
 * The server of a {@linkplain RedisSimulation simulation}: the {@linkplain ScriptModel model} of the scripts, and beside it
 * the rights as the promises have them. What the model does is held to that, command by command: a right is the last one that was granted
 * for its key, until it is published, given back, renewed too late, or its key is invalidated, put, or lost.
 */
final class SimServer {
    private static final long START_MICROS = 1_795_308_321_787_167L;
    private static final Map<String, RedisScript> SCRIPTS = new HashMap<>();
    private static final int MOST_DIGITS_OF_A_HASH = 40;

    static {
        for (RedisScript script : RedisScript.values()) {
            SCRIPTS.put(text(RedisScript.Sent.of(script.text()).hash()), script);
        }
    }

    /** What is broken on purpose. */
    enum Mutant {
        NONE,
        PUBLISH_ASKS_FOR_ANY_RIGHT,
        PUBLISH_ASKS_FOR_NO_RIGHT,
        INVALIDATION_KEEPS_THE_RIGHT,
        NO_TIMER,
        DEAF_WHILE_CLAIMING,
        SILENT_ABANDON,
        RENEWAL_GOES_ON
    }

    /** What the server is asked besides by commands. */
    interface World {
        long nanos();

        int event();

        void published(String channel, byte[] message);

        void violated(Violation.Promise promise, String detail);
    }

    /** A promise that was broken. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        /** By the names that DESIGN.md and the protocol's invariants have. */
        enum Promise {
            /** I1: what is published, is published under the last right, once. */
            ONLY_THE_HOLDER_PUBLISHES,
            /** I2. */
            FENCES_GROW,
            /** I3. */
            NOTHING_FROM_BEFORE_AN_INVALIDATION,
            /** I4. */
            ONE_RIGHT_AT_A_TIME,
            /** I5 and I9: all calls end soon once faults have. */
            WAITS_ARE_BOUNDED,
            /** I6. */
            WHO_WAITS_HAS_A_TIMER,
            /** I7. */
            NOBODY_WAITS_BESIDE_A_USABLE_VALUE,
            /** I8. */
            ONE_CREATOR,
            /** I9. */
            ONE_VALUE_IN_THE_END,
            /** I9: no right, nobody noted, no failures. */
            NOTHING_LEFT_BEHIND,
            /** I11. */
            ALL_ENDS_BY_TIME,
            /** Who is told needs no poll. */
            ONE_PUSH_WAKES,
            /** A renewal is not begun once its creation ended. */
            RENEWED_WHILE_CREATING,
            /** A call ends with a value that somebody made, or a failure that has a reason. */
            A_CALL_HAS_A_REASON
        }

        final Promise promise;

        Violation(Promise promise, String detail) {
            super(promise + ": " + detail);
            this.promise = promise;
        }
    }

    /** A right that was granted. */
    static final class Right {
        final String nonce;
        final String fence;
        final int granted;
        long liveUntil;
        int clockSets;
        int generations;

        Right(String nonce, String fence, int granted) {
            this.nonce = nonce;
            this.fence = fence;
            this.granted = granted;
        }

        Right copy() {
            Right copy = new Right(nonce, fence, granted);
            copy.liveUntil = liveUntil;
            copy.clockSets = clockSets;
            copy.generations = generations;
            return copy;
        }

        @Override
        public String toString() {
            return nonce + " with fence " + fence;
        }
    }

    /** A state that a replica has, and may be left with. */
    record Replica(ScriptModel model, Map<String, Right> rights, int event) {}

    private final World world;
    private final Mutant mutant;
    private final ScriptModel model = new ScriptModel(this::micros, this::told);
    private final Map<String, Right> rights = new HashMap<>();
    private final Map<String, Integer> grantedAt = new HashMap<>();
    private final Map<String, Integer> usableSince = new HashMap<>();
    private final Map<String, Integer> storedAt = new HashMap<>();
    private final Set<RedisScript> known = new HashSet<>();
    private final Set<String> records = new HashSet<>();
    private boolean silent;
    private long ahead;
    private int clockSets;
    private int generations;
    private int lastFailover = -1;

    SimServer(World world, Mutant mutant) {
        this.world = world;
        this.mutant = mutant;
    }

    private long micros() {
        return START_MICROS + world.nanos() / 1_000 + ahead;
    }

    long millis() {
        return micros() / 1_000;
    }

    private void told(ScriptModel.Message message) {
        if (silent) {
            return;
        }
        world.published(message.channel(), message.text().getBytes(ISO_8859_1));
    }

    // Faults

    void setClock(long byMicros) {
        ahead += byMicros;
        clockSets++;
    }

    void flush() {
        model.flush();
        rights.clear();
        usableSince.clear();
    }

    void restart() {
        flush();
        known.clear();
    }

    void evict(String record) {
        model.del(record);
        rights.remove(record);
        usableSince.remove(record);
    }

    Replica replica() {
        return new Replica(model.image(), copied(rights), world.event());
    }

    void failOver(Replica to) {
        model.restore(to.model);
        rights.clear();
        rights.putAll(copied(to.rights));
        usableSince.clear();
        known.clear(); // scripts are not replicated
        lastFailover = world.event();
    }

    private static Map<String, Right> copied(Map<String, Right> rights) {
        Map<String, Right> copy = new HashMap<>();
        rights.forEach((record, right) -> copy.put(record, right.copy()));
        return copy;
    }

    // What the simulation asks

    String field(String record, String field) {
        return model.field(record, field);
    }

    /** What is stored in the record that a command reads or changes; empty if there is no record, or no value. */
    String value(CommandArguments command) {
        RedisScript script = script(command);
        if (script == RedisScript.GENERATION || (script == null && command.getCommand() != Protocol.Command.HMGET)) {
            return "";
        }
        String value = model.field(text(command.get(script == null ? 1 : 3).getRaw()), "v");
        return value == null ? "" : value;
    }

    int lastFailover() {
        return lastFailover;
    }

    /** The event of the grant with that nonce; a negative number if there was none. */
    int grantedAt(String nonce) {
        return grantedAt.getOrDefault(nonce, -1);
    }

    /** Whether that is the reply to a claim that says so. */
    static boolean isGranted(Object reply) {
        long code = (Long) ((List<?>) reply).get(0);
        return code == 2 || code == 3;
    }

    /** Since which event there has been a usable value at all times; a large number if there is none. */
    int usableSince(String record) {
        String m = model.field(record, "m");
        if (m == null || hardEnd(m) - millis() < 50) {
            return Integer.MAX_VALUE;
        }
        return usableSince.getOrDefault(record, Integer.MAX_VALUE);
    }

    /** The event that stored what is there, or declared it stale; a negative number if there was none. */
    int storedAt(String record) {
        return storedAt.getOrDefault(record, -1);
    }

    boolean hasFresh(String record) {
        RedisRecord.Stamps stamps = stamps(model.field(record, "m"));
        return stamps != null && !stamps.isDeclaredStale() && stamps.softAtMillis() > millis() + 5;
    }

    boolean hasLiveRight(String record) {
        RedisRecord.Lease lease = lease(model.field(record, "l"));
        return lease != null && lease.expiryMillis() > millis();
    }

    /** Nothing without an end but what is for ever. */
    void checkEnds() {
        for (String record : records) {
            if (!model.ends(record)) {
                world.violated(Violation.Promise.ALL_ENDS_BY_TIME, record);
            }
        }
    }

    // Commands

    /** Does a command as the server does. */
    Object run(CommandArguments command) {
        List<byte[]> words = new ArrayList<>(command.size());
        for (Rawable word : command) {
            words.add(word.getRaw());
        }
        Protocol.Command which = (Protocol.Command) command.getCommand();
        return switch (which) {
            case HMGET ->
                model.hmget(words.get(1), words.subList(2, words.size()).toArray(byte[][]::new));
            case GET -> model.get(words.get(1));
            case PUBLISH -> {
                world.published(text(words.get(1)), words.get(2));
                yield 1L;
            }
            case EVALSHA, EVAL -> {
                int keys = Integer.parseInt(text(words.get(2)));
                yield run(
                        scriptFor(which, words.get(1)),
                        words.subList(3, 3 + keys),
                        words.subList(3 + keys, words.size()));
            }
            default -> throw new AssertionError("not simulated: " + which);
        };
    }

    static RedisScript script(CommandArguments command) {
        if (command.getCommand() == Protocol.Command.EVALSHA) {
            return SCRIPTS.get(text(command.get(1).getRaw()));
        }
        return command.getCommand() == Protocol.Command.EVAL
                ? SCRIPTS.get(
                        text(RedisScript.Sent.of(text(command.get(1).getRaw())).hash()))
                : null;
    }

    static String argument(CommandArguments command, int number) {
        int keys = Integer.parseInt(text(command.get(2).getRaw()));
        return text(command.get(2 + keys + number).getRaw());
    }

    private RedisScript scriptFor(Protocol.Command which, byte[] word) {
        if (which == Protocol.Command.EVAL) {
            RedisScript script =
                    SCRIPTS.get(text(RedisScript.Sent.of(text(word)).hash()));
            known.add(script);
            return script;
        }
        RedisScript script = SCRIPTS.get(text(word));
        if (word.length != MOST_DIGITS_OF_A_HASH || !known.contains(script)) {
            throw new JedisNoScriptException("NOSCRIPT No matching script. Please use EVAL.");
        }
        return script;
    }

    private Object run(RedisScript script, List<byte[]> keys, List<byte[]> arguments) {
        String key = text(keys.get(0));
        if (script == RedisScript.GENERATION) {
            String before = text(model.get(keys.get(0)));
            Object reply = model.run(script, keys, arguments);
            if (!text(model.get(keys.get(0))).equals(before)) {
                generations++;
                usableSince.clear();
            }
            return reply;
        }
        records.add(key);
        if (rights.get(key) != null && model.field(key, "l") == null) {
            rights.remove(key); // the record ended by time
        }
        String m0 = model.field(key, "m");
        String l0 = model.field(key, "l");
        List<?> reply = (List<?>) mutated(script, keys, arguments, l0);
        String m1 = model.field(key, "m");
        String l1 = model.field(key, "l");
        long code = (Long) reply.get(0);
        Right holder = rights.get(key);
        switch (script) {
            case CLAIM -> claimed(key, text(arguments.get(0)), reply, l0, l1, holder, arguments);
            case PUBLISH -> {
                if (code == 1) {
                    published(text(arguments.get(0)), text(arguments.get(1)), holder);
                    rights.remove(key);
                } else if (l0 != null && l1 == null) {
                    rights.remove(key);
                }
            }
            case RENEW -> {
                if (code == 1) {
                    renewed(text(arguments.get(0)), holder, Long.parseLong(text(arguments.get(1))));
                }
            }
            case ABANDON -> {
                if (code == 1) {
                    held(text(arguments.get(0)), holder, "given back");
                    rights.remove(key);
                }
            }
            case PUT, INVALIDATE -> rights.remove(key);
            default -> throw new AssertionError("not simulated: " + script);
        }
        stored(key, m0, m1);
        return reply;
    }

    private void claimed(
            String key, String nonce, List<?> reply, String l0, String l1, Right holder, List<byte[]> arguments) {
        if (!isGranted(reply)) {
            return;
        }
        RedisRecord.Lease now = lease(l1);
        if (now == null || !now.nonce().equals(nonce)) {
            world.violated(Violation.Promise.ONE_RIGHT_AT_A_TIME, nonce + " was told granted, and is not: " + l1);
            return;
        }
        String fence = Long.toString(now.fence());
        if (l1.equals(l0)) {
            return; // asked once more, and told the same
        }
        RedisRecord.Lease before = lease(l0);
        long known = Math.max(number(arguments.get(4)), number(arguments.get(5)));
        boolean older = before != null && before.generation() < known; // the server had lost what the caller knows
        boolean excused = holder == null || older || holder.clockSets != clockSets || holder.generations != generations;
        if (!excused && world.nanos() < holder.liveUntil - 2_000_000L) {
            world.violated(
                    Violation.Promise.ONE_RIGHT_AT_A_TIME,
                    nonce + " was granted " + key + " while " + holder + " lasts for "
                            + (holder.liveUntil - world.nanos()) / 1_000_000 + " ms more");
        }
        if (holder != null && Long.parseLong(holder.fence) >= now.fence()) {
            world.violated(Violation.Promise.FENCES_GROW, "right " + fence + " after " + holder);
        }
        Right right = new Right(nonce, fence, world.event());
        right.liveUntil = world.nanos() + Long.parseLong(text(arguments.get(1))) * 1_000_000L;
        right.clockSets = clockSets;
        right.generations = generations;
        rights.put(key, right);
        grantedAt.put(nonce, world.event());
    }

    private void published(String nonce, String fence, Right holder) {
        held(nonce, holder, "published");
        if (holder != null && !holder.fence.equals(fence)) {
            world.violated(
                    Violation.Promise.ONLY_THE_HOLDER_PUBLISHES,
                    "a value made under " + nonce + " with fence " + fence + " was published under " + holder);
        }
    }

    private void renewed(String nonce, Right holder, long lengthMillis) {
        held(nonce, holder, "renewed");
        if (holder != null) {
            holder.liveUntil = world.nanos() + lengthMillis * 1_000_000L;
            holder.clockSets = clockSets;
        }
    }

    private void held(String nonce, Right holder, String what) {
        if (holder == null || !holder.nonce.equals(nonce)) {
            world.violated(
                    Violation.Promise.ONLY_THE_HOLDER_PUBLISHES,
                    nonce + " was " + what + " while the right is " + (holder == null ? "nobody's" : holder));
        }
    }

    private void stored(String key, String m0, String m1) {
        if (m1 == null) {
            usableSince.remove(key);
            return;
        }
        if (!m1.equals(m0)) {
            storedAt.put(key, world.event());
        }
        boolean ended = m0 == null || (hardEnd(m0) != 0 && hardEnd(m0) < millis());
        RedisRecord.Stamps before = stamps(m0);
        RedisRecord.Stamps after = stamps(m1);
        // What is declared stale is no other value: one of a generation that is over stays without use.
        boolean isAnother = before == null || after.fence() != before.fence();
        if (isAnother && (ended || !usableSince.containsKey(key))) {
            usableSince.put(key, world.event());
        }
        if (before != null && after.fence() < before.fence()) {
            world.violated(Violation.Promise.FENCES_GROW, "a value with " + m1 + " replaced one with " + m0);
        }
    }

    private static long hardEnd(String m) {
        RedisRecord.Stamps stamps = stamps(m);
        return stamps == null ? 0 : stamps.hardAtMillis();
    }

    /** What the model does, or what a server would that is broken in that way. */
    private Object mutated(RedisScript script, List<byte[]> keys, List<byte[]> arguments, String l0) {
        String key = text(keys.get(0));
        switch (mutant) {
            case PUBLISH_ASKS_FOR_ANY_RIGHT, PUBLISH_ASKS_FOR_NO_RIGHT -> {
                if (script == RedisScript.PUBLISH && (l0 != null || mutant == Mutant.PUBLISH_ASKS_FOR_NO_RIGHT)) {
                    String lease = text(arguments.get(0)) + ' ' + text(arguments.get(1)) + " 9007199254740991 ";
                    model.hset(key, "l", lease + "1 1");
                }
            }
            case INVALIDATION_KEEPS_THE_RIGHT -> {
                if (script == RedisScript.INVALIDATE && l0 != null) {
                    Object reply = model.run(script, keys, arguments);
                    model.hset(key, "l", l0);
                    return reply;
                }
            }
            case SILENT_ABANDON -> {
                if (script == RedisScript.ABANDON) {
                    silent = true;
                    try {
                        return model.run(script, keys, arguments);
                    } finally {
                        silent = false;
                    }
                }
            }
            default -> {
                // not of the server
            }
        }
        return model.run(script, keys, arguments);
    }

    static RedisRecord.Stamps stamps(String m) {
        return m == null ? null : RedisRecord.Stamps.parse(m.getBytes(ISO_8859_1));
    }

    static RedisRecord.Lease lease(String l) {
        return l == null ? null : RedisRecord.Lease.parse(l.getBytes(ISO_8859_1));
    }

    private static long number(byte[] digits) {
        return Long.parseLong(text(digits));
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "" : new String(bytes, ISO_8859_1);
    }
}
