package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.processes.Await;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.Response;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * The scripts on a real server do what their {@linkplain ScriptModel model} does: the same replies, keys, ends and messages
 * after each step of random sequences, by a {@linkplain StoppedClock clock} that goes forwards and backwards.
 *
 * <p>{@code -Ddogpile.sequences=100000} runs more of them, {@code -Ddogpile.sequence=17} only the one that a failure named.
 */
class ScriptModelTest {
    private static final int STEPS = 40;
    private static final int DEFAULT_SEQUENCES = 2_000;
    private static final int PUSH_MAX = 20;
    private static final long START_MICROS = 1_795_308_321_787_167L;
    private static final String RECORD = "p:region:key \u00e9 {1}";
    private static final String GENERATION = "p:region~generation";
    private static final String LOCK = "p:~lock:name";
    private static final String INBOXES = "p:~in:";
    private static final String NEAR = "p:~near:region";
    private static final String MARK = "mark";

    private static final List<String> NONCES = List.of("n.1", "n.2", "m.1");
    private static final List<String> LONG_INBOXES =
            List.of("a".repeat(600), "b".repeat(599), "c".repeat(2), "d".repeat(300), "e".repeat(297));
    private static final List<String> INBOXES_TO_NAME = Stream.concat(
                    Stream.of("2", "j2", "jj2", "j"), LONG_INBOXES.stream())
            .toList();
    private static final List<String> DAMAGE = List.of(
            "",
            " ",
            "x",
            "1",
            "1 2",
            "1 2 3 4 5 6",
            "1 2 3 4 5 6 7 ",
            " 1 2 3 4 5 6 7",
            "1 2 3 4 5 6 7\n",
            "1 2 -3 4 5 6 7",
            "5 0 0 0 0 0 0",
            "n.1 5 0 0",
            "n.1 5 0 0 x",
            "n.1  5 0 9 9",
            "n.1 99999999999999999 0 1 1",
            "n.2 1795308321787167 0 9999999999999999 1000",
            "99999999999999999 9 0 0 0 0 0",
            "9 99999999999999999999999 0 0 0 0 0",
            "9007199254740991 9007199254740991 0 0 0 0 0",
            "99999999999999999 99999999999999999",
            "9999999999999999 0",
            "0 9000000000000001",
            "9000000000000000 8999999999999999",
            "3 1795308331787 60000 " + "long ".repeat(400),
            "3 99999999999999999 99999999999999999 text",
            "123456789012345678901 5 9 text",
            "1 1795308321787 100 two\nlines",
            "* ",
            "2",
            "  2  j2",
            "j2 ");

    private static RedisServer server;
    private static RedisClient client;
    private static Messages messages;
    private static final Map<RedisScript, RedisScript.Sent> SCRIPTS = new EnumMap<>(RedisScript.class);
    private static final RedisScript.Sent LOOK = RedisScript.Sent.of(StoppedClock.LOOK);

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        client = server.client();
        for (RedisScript script : RedisScript.values()) {
            SCRIPTS.put(script, RedisScript.Sent.of(StoppedClock.edit(script.text())));
            client.scriptLoad(StoppedClock.edit(script.text()));
        }
        client.scriptLoad(StoppedClock.LOOK);
        messages = new Messages(server.client());
    }

    @AfterAll
    static void stop() {
        messages.close();
        client.close();
        server.close();
    }

    @Test
    void randomSequences_theModelAndTheServerDoTheSame() {
        Long only = Long.getLong("dogpile.sequence");
        int count = Integer.getInteger("dogpile.sequences", DEFAULT_SEQUENCES);
        TreeSet<String> outcomes = new TreeSet<>();
        for (long seed = only == null ? 0 : only; seed < (only == null ? count : only + 1); seed++) {
            new Sequence(seed).run(outcomes);
        }
        if (only == null && count >= DEFAULT_SEQUENCES) {
            assertThat(outcomes)
                    .as("what the sequences reached")
                    .contains("CLAIM 0", "CLAIM 1", "CLAIM 2", "CLAIM 3", "CLAIM 4", "CLAIM 6", "CLAIM 7")
                    .contains("PUBLISH 0", "PUBLISH 1", "PUBLISH 2", "PUT 1", "RENEW 0", "RENEW 1")
                    .contains("ABANDON 0", "ABANDON 1", "INVALIDATE 1", "LOCK 0", "LOCK 1")
                    .contains("EXTEND 0", "EXTEND 1", "UNLOCK 0", "UNLOCK 1")
                    .contains("CLAIM wrong type", "PUT wrong type", "LOCK wrong type", "GENERATION wrong type");
        }
    }

    /** One sequence: what is done depends on the model only, so all of it is sent at once. */
    private static final class Sequence {
        private final long seed;
        private final SplittableRandom random;
        private final List<ScriptModel.Message> told = new ArrayList<>();
        private final ScriptModel model = new ScriptModel(this::micros, told::add);
        private final List<Step> steps = new ArrayList<>();
        private final List<String> done = new ArrayList<>();
        private AbstractPipeline pipeline;
        private long micros;

        Sequence(long seed) {
            this.seed = seed;
            this.random = new SplittableRandom(seed);
        }

        private long micros() {
            return micros;
        }

        /** What the model did, and what the server will have done. */
        private record Step(
                String what,
                Object reply,
                List<List<Object>> keys,
                List<ScriptModel.Message> told,
                Response<Object> realReply,
                Response<Object> realKeys) {}

        void run(TreeSet<String> outcomes) {
            try (AbstractPipeline sending = client.pipelined()) {
                pipeline = sending;
                pipeline.sendCommand(new CommandArguments(Protocol.Command.FLUSHDB));
                clock(START_MICROS);
                for (int step = 0; step < STEPS; step++) {
                    step();
                }
                pipeline.sync();
            }
            for (int i = 0; i < STEPS; i++) {
                Step step = steps.get(i);
                int at = i;
                Supplier<String> where = () -> "sequence " + seed + " (-Ddogpile.sequence=" + seed + "), step " + at
                        + " of\n" + String.join("\n", done.subList(0, at + 1)) + "\n";
                assertThat(shown(real(step.realReply))).as(where).isEqualTo(shown(step.reply));
                assertThat(looked(step.realKeys.get())).as(where).isEqualTo(step.keys);
                assertThat(messages.untilMarked(seed + "." + i)).as(where).isEqualTo(step.told);
                outcomes.add(outcome(step));
            }
        }

        private static String outcome(Step step) {
            String name = step.what.substring(0, step.what.indexOf(' '));
            if (step.reply instanceof JedisDataException) {
                return name + " wrong type";
            }
            return name + ' ' + (step.reply instanceof List<?> items ? items.get(0) : step.reply);
        }

        private void clock(long to) {
            micros = to;
            pipeline.set(StoppedClock.KEY, Long.toString(to));
        }

        private void step() {
            StringBuilder what = new StringBuilder();
            if (random.nextInt(3) > 0) {
                clock(micros + step(one(0L, 1L, 999L, 1_000L, 40_000L, 300_000L, 2_500_000L, 70_000_000L)));
                what.append(", clock ").append(micros);
            }
            if (random.nextInt(8) == 0) {
                what.append(", ").append(damage());
            }
            told.clear();
            RedisScript script = one(
                    RedisScript.CLAIM,
                    RedisScript.CLAIM,
                    RedisScript.CLAIM,
                    RedisScript.CLAIM,
                    RedisScript.PUBLISH,
                    RedisScript.PUBLISH,
                    RedisScript.ABANDON,
                    RedisScript.ABANDON,
                    RedisScript.values()[random.nextInt(RedisScript.values().length)]);
            List<byte[]> keys = keys(script);
            List<String> arguments = arguments(script);
            List<byte[]> sent = arguments.stream().map(Sequence::bytes).toList();
            Object reply;
            try {
                reply = model.run(script, keys, sent);
            } catch (JedisDataException wrongType) {
                reply = wrongType;
            }
            what.insert(0, script + " " + keys.size() + " keys " + arguments);
            done.add(steps.size() + ": " + what);
            Response<Object> realReply = pipeline.evalsha(SCRIPTS.get(script).hash(), keys, sent);
            Response<Object> realKeys =
                    pipeline.evalsha(LOOK.hash(), List.of(bytes(RECORD), bytes(GENERATION), bytes(LOCK)), List.of());
            pipeline.publish(MARK, seed + "." + steps.size());
            List<List<Object>> seen = List.of(model.look(RECORD), model.look(GENERATION), model.look(LOCK));
            steps.add(new Step(what.toString(), reply, seen, List.copyOf(told), realReply, realKeys));
        }

        private long step(long forwards) {
            return random.nextInt(5) > 0
                    ? forwards
                    : -one(forwards, 1L, 1_000L, 900_000L, 3_000_000L, 20_000_000L, 3_600_000_000L);
        }

        /** What others do to keys: by hand, by memory that is full, by a bug. */
        private String damage() {
            String key = one(RECORD, RECORD, RECORD, RECORD, RECORD, RECORD, GENERATION, LOCK);
            boolean hash = "hash".equals(model.look(key).get(0));
            int how = random.nextInt(12);
            if (how == 0 || how < 3 && !hash) {
                model.del(key);
                pipeline.del(bytes(key), bytes("~end:" + key));
                return "DEL " + key;
            }
            if (key.equals(RECORD) && (hash || !model.holds(key)) && how < 11) {
                if (!model.holds(key)) {
                    forget(key);
                }
                String field = one("m", "l", "e", "w", "m", "l", "e", "w", "v");
                String text = random.nextInt(4) == 0 ? almost(field) : one(DAMAGE);
                model.hset(key, field, text);
                pipeline.hset(bytes(key), bytes(field), bytes(text));
                return "HSET " + field + " '" + text + "'";
            }
            if (!key.equals(RECORD) && how == 11) {
                model.del(key);
                forget(key);
                model.hset(key, "field", "of a hash");
                pipeline.hset(bytes(key), bytes("field"), bytes("of a hash"));
                return "HSET " + key;
            }
            String text = one(DAMAGE);
            model.set(key, text);
            pipeline.del(bytes("~end:" + key));
            pipeline.set(bytes(key), bytes(text));
            return "SET " + key + " '" + text + "'";
        }

        /** The model may know that it is gone while its noted end was not looked at yet. */
        private void forget(String key) {
            pipeline.del(bytes(key), bytes("~end:" + key));
        }

        /** A field as it might be, with an odd time or number. */
        private String almost(String field) {
            long ms = micros / 1_000;
            return switch (field) {
                case "m" ->
                    one(micros, micros - 5, micros + 90_000_000, 7L) + " " + generation() + " "
                            + one(0L, 1L, ms - 1, ms, ms + 1_000, ms + 6_000, ms + 7_000_000) + " "
                            + one(0L, 1L, ms - 1, ms, ms + 500, ms + 7_000_000) + " 12 1000 " + (ms - 20);
                case "l" ->
                    one(NONCES) + " " + one(micros, micros + 90_000_000, 7L) + " " + generation() + " "
                            + (ms + one(-1, 0, 1, 2_500, 2_999, 3_000, 3_001, 9_000_000)) + " 1000";
                case "e" ->
                    one(1L, 3L, 40L, 99_999_999_999_999L) + " " + (ms + one(0, 1, 500, 3_600_000, 3_600_001)) + " "
                            + one(0, 249, 250, 1_799_999, 3_600_000) + " why";
                case "w" -> "x".repeat(one(1_190, 1_197, 1_198, 1_199, 1_200, 1_201)) + " ";
                default -> "some envelope";
            };
        }

        private List<byte[]> keys(RedisScript script) {
            return switch (script) {
                case CLAIM, PUBLISH, PUT, RENEW ->
                    random.nextInt(3) == 0 ? List.of(bytes(RECORD)) : List.of(bytes(RECORD), bytes(GENERATION));
                case ABANDON, INVALIDATE -> List.of(bytes(RECORD));
                case GENERATION -> List.of(bytes(GENERATION));
                case LOCK, EXTEND, UNLOCK -> List.of(bytes(LOCK));
            };
        }

        private List<String> arguments(RedisScript script) {
            String lease = one("1", "100", "1000", "5000");
            String linger = one("0", "50", "60000");
            String near = one("", NEAR);
            return switch (script) {
                case CLAIM ->
                    List.of(
                            one(NONCES),
                            lease,
                            linger,
                            one("", one(INBOXES_TO_NAME), one(INBOXES_TO_NAME)),
                            generation(),
                            generation(),
                            one("", word("m", 0), "7"),
                            one("N", "N", "N", "E", "R"),
                            one("", "", "", word("l", 0) + ' ' + word("l", 3), word("l", 0) + " 1"),
                            one("", "", "0", "19", "20", "1000"));
                case PUBLISH ->
                    List.of(
                            nonce(),
                            fence(),
                            envelope(),
                            life(),
                            life(),
                            one("0", "12"),
                            one("1", "1", "1", "0"),
                            generation(),
                            generation(),
                            Integer.toString(PUSH_MAX),
                            INBOXES,
                            near,
                            "K n key");
                case PUT ->
                    List.of(
                            envelope(),
                            life(),
                            life(),
                            one("0", "12"),
                            generation(),
                            generation(),
                            Integer.toString(PUSH_MAX),
                            INBOXES,
                            near,
                            "K n key");
                case RENEW -> List.of(nonce(), lease, linger, generation(), generation());
                case ABANDON ->
                    List.of(
                            nonce(),
                            one("F", "F", "F", "N"),
                            one("1", "2", "5"),
                            one("50", "100"),
                            one("50", "350", "30000", "7200000"),
                            one("", "boom", "1 2 3"),
                            INBOXES);
                case INVALIDATE -> List.of(one("HARD", "SOFT"), INBOXES, near, "K n key");
                case GENERATION ->
                    List.of(
                            one("HARD", "SOFT", "KEEP", "KEEP"),
                            generation(),
                            generation(),
                            INBOXES + '*',
                            "G region ");
                case LOCK, EXTEND -> List.of(one(NONCES), lease);
                case UNLOCK -> List.of(one(NONCES));
            };
        }

        private String nonce() {
            String holder = word("l", 0);
            return random.nextInt(4) == 0 || holder.isEmpty() ? one(NONCES) : holder;
        }

        private String fence() {
            String fence = one(word("l", 1), word("l", 1), word("m", 0), "7");
            return fence.isEmpty() ? "7" : fence;
        }

        /** One that is stored, or near it, or near now; mostly none. */
        private String generation() {
            return switch (random.nextInt(10)) {
                case 0 -> word("m", 1).isEmpty() ? "5" : word("m", 1);
                case 1 -> Long.toString(micros + one(-2_000_000, -1, 0, 1));
                case 2 -> "9";
                default -> "0";
            };
        }

        private String life() {
            return one("0", "1", "30", "1000", "9000");
        }

        private String envelope() {
            return one(
                    "",
                    "\n",
                    "v".repeat(PUSH_MAX - 1),
                    "\u00ff".repeat(PUSH_MAX),
                    "v".repeat(PUSH_MAX + 1),
                    "v".repeat(900));
        }

        /** A word of a field, if it is one that digits and nonces could be; empty if there is none. */
        private String word(String field, int number) {
            if (!"hash".equals(model.look(RECORD).get(0))) {
                return "";
            }
            String text = model.field(RECORD, field);
            String[] words = text == null ? new String[0] : text.split(" ", -1);
            String word = number < words.length ? words[number] : "";
            boolean fits = word.matches(field.equals("l") && number == 0 ? "\\S+" : "\\d{1,16}");
            return fits ? word : "";
        }

        @SafeVarargs
        private <T> T one(T... of) {
            return of[random.nextInt(of.length)];
        }

        private <T> T one(List<T> of) {
            return of.get(random.nextInt(of.size()));
        }

        private static byte[] bytes(String text) {
            return text.getBytes(ISO_8859_1);
        }

        private static Object real(Response<Object> response) {
            try {
                return response.get();
            } catch (JedisDataException refused) {
                return refused;
            }
        }
    }

    /** A reply as text; of an error only its kind, which stands elsewhere in each version. */
    private static String shown(Object reply) {
        if (reply instanceof byte[] bytes) {
            return '\'' + new String(bytes, ISO_8859_1) + '\'';
        }
        if (reply instanceof JedisDataException refused) {
            return refused.getMessage().contains("WRONGTYPE") ? "WRONGTYPE" : refused.getMessage();
        }
        return reply instanceof List<?> items
                ? items.stream().map(ScriptModelTest::shown).toList().toString()
                : String.valueOf(reply);
    }

    private static List<List<Object>> looked(Object reply) {
        List<?> items = (List<?>) reply;
        List<List<Object>> keys = new ArrayList<>();
        for (int i = 0; i < items.size(); i += 3) {
            Object content = items.get(i + 1);
            keys.add(List.of(
                    new String((byte[]) items.get(i), ISO_8859_1),
                    content instanceof byte[] text ? new String(text, ISO_8859_1) : fields((List<?>) content),
                    new String((byte[]) items.get(i + 2), ISO_8859_1)));
        }
        return keys;
    }

    private static Map<String, String> fields(List<?> all) {
        Map<String, String> fields = new HashMap<>();
        for (int i = 0; i < all.size(); i += 2) {
            fields.put(new String((byte[]) all.get(i), ISO_8859_1), new String((byte[]) all.get(i + 1), ISO_8859_1));
        }
        return new TreeMap<>(fields);
    }

    /** Whatever is published, in its order; a marker after each step tells where its messages end. */
    private static final class Messages implements AutoCloseable {
        private final BlockingQueue<ScriptModel.Message> arrived = new LinkedBlockingQueue<>();
        private final Overheard overheard;

        Messages(RedisClient subscribed) {
            overheard = new Overheard(
                    subscribed,
                    (channel, message) -> arrived.add(
                            new ScriptModel.Message(new String(channel, ISO_8859_1), new String(message, ISO_8859_1))));
        }

        List<ScriptModel.Message> untilMarked(String mark) {
            List<ScriptModel.Message> before = new ArrayList<>();
            try {
                while (true) {
                    ScriptModel.Message next = arrived.poll(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS);
                    if (next == null) {
                        throw new AssertionError("the marker " + mark + " did not arrive, but " + before);
                    }
                    if (next.channel().equals(MARK)) {
                        assertThat(next.text()).isEqualTo(mark);
                        return before;
                    }
                    before.add(next);
                }
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted", e);
            }
        }

        @Override
        public void close() {
            overheard.close();
        }
    }
}
