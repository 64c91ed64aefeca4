package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * What the {@linkplain RedisScript scripts} do, once more in Java: one server's keys in memory, by a clock that is handed in.
 *
 * <p>Replies are those of the client: {@code Long}, {@code byte[]}, null, and lists of them. Numbers are doubles, as they are
 * for the scripts. Texts are bytes: inside, each is one character. Memory never runs out here. Not thread-safe: a server
 * does one thing at a time.
 */
final class ScriptModel {
    /** A message that was published. */
    record Message(String channel, String text) {}

    /** A field or a text with a longer number in it is damaged. */
    private static final String NUMBER = "(\\d{1,16})";

    private static final Pattern STAMPS = words(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER);
    private static final Pattern LEASE = words("(\\S+)", NUMBER, NUMBER, NUMBER, NUMBER);
    private static final Pattern LOCK = words("(\\S+)", NUMBER, NUMBER, NUMBER);
    private static final Pattern GENERATIONS = words(NUMBER, NUMBER);
    private static final Pattern FAILURES = Pattern.compile("(\\d+) (\\d+) (\\d+) (.*)", Pattern.DOTALL);
    private static final Pattern TO_DECLARE_STALE = Pattern.compile("(\\d+) (\\d+) \\d+ (\\d+) (\\d+ \\d+ \\d+)");

    /** The beginnings of texts whose rest does not matter. */
    private static final Pattern ONE_NUMBER = Pattern.compile("^(\\d+) ");

    private static final Pattern FENCE = Pattern.compile("^" + NUMBER + " ");
    private static final Pattern FENCE_OF_LEASE = Pattern.compile("^\\S+ " + NUMBER + " ");
    private static final Pattern TWO_NUMBERS = Pattern.compile("^(\\d+) (\\d+) ");
    private static final Pattern HOLDER = Pattern.compile("^(\\S+) ");
    private static final Pattern HOLDER_FENCE = Pattern.compile("^(\\S+) (\\d+) ");
    private static final Pattern HOLDER_FENCE_GENERATION = Pattern.compile("^(\\S+) (\\d+) (\\d+) ");

    private static final int MOST_NAMED = 1_200;
    private static final int LONGEST_TEXT = 1_300;
    private static final double MOST_EXACT = 9e15;
    private static final double CLOCK_SET_BACK = 5_000;
    private static final double LONGEST_BACKOFF = 3_600_000;

    private static Pattern words(String... words) {
        return Pattern.compile(String.join(" ", words));
    }

    /** What is at a key: a hash or a text. */
    private static final class Entry {
        private final TreeMap<String, String> hash;
        private final String text;
        private Long end;

        Entry(TreeMap<String, String> hash, String text) {
            this.hash = hash;
            this.text = text;
        }
    }

    private final LongSupplier micros;
    private final Consumer<Message> published;
    private final Map<String, Entry> entries = new HashMap<>();

    /**
     * An empty server.
     *
     * @param micros its clock, in microseconds
     * @param published told of each message
     */
    ScriptModel(LongSupplier micros, Consumer<Message> published) {
        this.micros = micros;
        this.published = published;
    }

    /**
     * Runs a script.
     *
     * @throws JedisDataException if there is a key of another type
     */
    Object run(RedisScript script, List<byte[]> keys, List<byte[]> arguments) {
        Call call = new Call(
                keys.stream().map(ScriptModel::text).toList(),
                arguments.stream().map(ScriptModel::text).toList());
        return switch (script) {
            case CLAIM -> claim(call);
            case PUBLISH -> publish(call);
            case PUT -> put(call);
            case RENEW -> renew(call);
            case ABANDON -> abandon(call);
            case INVALIDATE -> invalidate(call);
            case GENERATION -> generation(call);
            case LOCK -> lock(call);
            case EXTEND -> extend(call);
            case UNLOCK -> unlock(call);
        };
    }

    /** As the command does. */
    byte[] get(byte[] key) {
        Entry entry = string(text(key));
        return entry == null ? null : bytes(entry.text);
    }

    /** As the command does. */
    List<byte[]> hmget(byte[] key, byte[]... fields) {
        Map<String, String> record = hash(text(key));
        return Stream.of(fields).map(field -> bytes(record.get(text(field)))).toList();
    }

    /** As the command does, on a hash or where there is nothing. */
    void hset(String key, String field, String value) {
        entry(key, () -> new Entry(new TreeMap<>(), null)).hash.put(field, value);
    }

    /** As the command does. */
    void set(String key, String value) {
        entries.put(key, new Entry(null, value));
    }

    /** As the command does. */
    void del(String key) {
        entries.remove(key);
    }

    /** As the command does. */
    void flush() {
        entries.clear();
    }

    /** All that there is, to be restored. */
    ScriptModel image() {
        ScriptModel image = new ScriptModel(micros, published);
        image.restore(this);
        return image;
    }

    /** What there was. */
    void restore(ScriptModel image) {
        entries.clear();
        image.entries.forEach((key, was) -> {
            Entry entry = new Entry(was.hash == null ? null : new TreeMap<>(was.hash), was.text);
            entry.end = was.end;
            entries.put(key, entry);
        });
    }

    /** Whether there is anything. */
    boolean holds(String key) {
        return alive(key) != null;
    }

    /** A field of a hash, or null. */
    String field(String key, String field) {
        Entry entry = alive(key);
        return entry == null ? null : entry.hash.get(field);
    }

    /** Whether what is there will end by itself. */
    boolean ends(String key) {
        Entry entry = alive(key);
        return entry == null || entry.end != null;
    }

    /** What is at a key, to be compared: its type, its content, its end in milliseconds or nothing. */
    List<Object> look(String key) {
        Entry entry = alive(key);
        if (entry == null) {
            return List.of("none", "", "");
        }
        return List.of(
                entry.hash == null ? "string" : "hash",
                entry.hash == null ? entry.text : Map.copyOf(entry.hash),
                entry.end == null ? "" : entry.end.toString());
    }

    /** One run: its keys, its arguments, and its time, which stands still meanwhile. */
    private final class Call {
        private final List<String> keys;
        private final List<String> arguments;
        private final double us = micros.getAsLong();
        private final double ms = Math.floor(us / 1_000);

        Call(List<String> keys, List<String> arguments) {
            this.keys = keys;
            this.arguments = arguments;
        }

        String key() {
            return keys.get(0);
        }

        /** Counted from one, as in the scripts. */
        String argument(int number) {
            return arguments.get(number - 1);
        }

        double number(int argument) {
            return number(argument(argument));
        }

        private double number(String digits) {
            return Double.parseDouble(digits);
        }

        /** Those that the caller knows, and those that are stored if they may be looked at and are newer. */
        Generations generations(int hardAt, int softAt) {
            Generations known = new Generations(number(hardAt), number(softAt));
            return keys.size() == 1 ? known : known.and(stored(keys.get(1)));
        }
    }

    private record Generations(double hard, double soft) {
        Generations and(Generations other) {
            return new Generations(Math.max(hard, other.hard), Math.max(soft, other.soft));
        }

        double both() {
            return Math.max(hard, soft);
        }

        @Override
        public String toString() {
            return whole(hard) + ' ' + whole(soft);
        }
    }

    private Generations stored(String key) {
        Entry entry = string(key);
        Matcher both = match(GENERATIONS, entry == null ? null : entry.text);
        boolean damaged = both == null || number(both, 1) > MOST_EXACT || number(both, 2) > MOST_EXACT;
        return damaged ? new Generations(0, 0) : new Generations(number(both, 1), number(both, 2));
    }

    private static String start(String text, int most) {
        return text.substring(0, Math.min(text.length(), most));
    }

    private Object claim(Call call) {
        Generations told = call.generations(5, 6);
        Generations known = new Generations(call.number(5), call.number(6));
        String news = told.equals(known) ? null : told.toString();
        Map<String, String> record = hash(call.key());
        Matcher m = match(STAMPS, record.get("m"));
        boolean has = m != null && (number(m, 4) == 0 || number(m, 4) >= call.ms) && number(m, 2) >= told.hard;
        String stamps = has ? record.get("m") : null;
        String value = !has ? null : call.argument(7).equals(m.group(1)) ? "" : record.get("v");
        if (has && isFresh(call, m, told)) {
            return reply(0, call.ms, stamps, value, 0, null, news);
        }
        Matcher l = match(LEASE, record.get("l"));
        double left = l == null ? 0 : left(call, l, told);
        if (l != null && l.group(1).equals(call.argument(1)) && number(l, 3) >= told.both()) {
            return reply(has ? 2 : 3, call.ms, stamps, value, left, l.group(2), news);
        }
        if (left > 0) {
            if (!call.argument(4).isEmpty()) {
                note(call.key(), call.argument(4));
            }
            return reply(has ? 1 : 4, call.ms, stamps, value, left, l.group(1) + ' ' + l.group(4), news);
        }
        Matcher e = match(FAILURES, record.get("e"));
        double backoff = e == null ? 0 : number(e, 2) - call.ms;
        double most = e == null ? 0 : Math.min(2 * number(e, 3), LONGEST_BACKOFF);
        if (backoff > 0 && backoff <= most && !call.argument(8).equals("R")) {
            return reply(has ? 6 : 7, call.ms, stamps, value, backoff, start(e.group(4), LONGEST_TEXT), news);
        }
        double fence = call.us;
        fence = m == null ? fence : Math.max(fence, number(m, 1) + 1);
        fence = l == null ? fence : Math.max(fence, number(l, 2) + 1);
        double length = call.number(2);
        double end = call.ms + length + call.number(3);
        if (has && (number(m, 4) == 0 || number(m, 4) > end)) {
            end = number(m, 4);
        }
        hset(
                call.key(),
                "l",
                call.argument(1)
                        + ' '
                        + whole(fence)
                        + ' '
                        + whole(told.both())
                        + ' '
                        + whole(call.ms + length)
                        + ' '
                        + whole(length));
        if (end > 0) {
            endAt(call, end + 1);
        }
        return reply(has ? 2 : 3, call.ms, stamps, value, length, whole(fence), news);
    }

    private static boolean isFresh(Call call, Matcher m, Generations told) {
        double softAt = number(m, 3);
        boolean inTime = softAt == 0 || softAt >= call.ms && softAt - call.ms <= number(m, 6) + CLOCK_SET_BACK;
        boolean youngEnough = call.argument(10).isEmpty() || call.ms - number(m, 7) <= call.number(10);
        boolean newer = call.argument(8).equals("N") || !call.argument(7).equals(m.group(1));
        return inTime && youngEnough && newer && number(m, 2) >= told.soft;
    }

    private static double left(Call call, Matcher l, Generations told) {
        double left = number(l, 4) - call.ms;
        boolean stoodStill = call.argument(9).equals(l.group(1) + ' ' + l.group(4));
        boolean clockSetBack = left > 2 * number(l, 5) + 1_000;
        return stoodStill || clockSetBack || number(l, 3) < told.both() ? 0 : left;
    }

    private void note(String key, String inbox) {
        String waiting = hash(key).getOrDefault("w", "");
        if (!waiting.equals("* ") && !(' ' + waiting).contains(' ' + inbox + ' ')) {
            hset(key, "w", waiting.length() > MOST_NAMED ? "* " : waiting + inbox + ' ');
        }
    }

    private Object publish(Call call) {
        Generations told = call.generations(8, 9);
        Map<String, String> record = hash(call.key());
        String w = record.get("w");
        Matcher l = find(HOLDER_FENCE_GENERATION, record.get("l"));
        if (l == null || !l.group(1).equals(call.argument(1)) || !l.group(2).equals(call.argument(2))) {
            return refused(call, record, told);
        }
        if (number(l, 3) < told.both()) {
            hdel(call.key(), "l", "w");
            wake(w, call.argument(11), "I " + call.key().length() + ' ' + call.key());
            return reply(0, call.ms, null, null);
        }
        String stamps = stamps(call, l.group(2) + ' ' + l.group(3), 4);
        if (call.argument(7).equals("1")) {
            store(call, call.argument(3), stamps, call.number(5));
            near(call.argument(12), call.argument(13));
        } else {
            hdel(call.key(), "l", "w", "e");
        }
        wake(w, call.argument(11), pushed(call, stamps, call.argument(3), call.number(10)));
        return reply(1, call.ms, stamps, null);
    }

    private static Object refused(Call call, Map<String, String> record, Generations told) {
        String stamps = record.get("m");
        Matcher m = find(TWO_NUMBERS, stamps);
        if (m != null && m.group(1).equals(call.argument(2))) {
            return reply(2, call.ms, stamps, null);
        }
        boolean newer = m != null && number(m, 1) > call.number(2) && number(m, 2) >= told.hard;
        return reply(0, call.ms, newer ? stamps : null, newer ? record.get("v") : null);
    }

    private Object put(Call call) {
        Generations told = call.generations(5, 6);
        Map<String, String> record = hash(call.key());
        String w = record.get("w");
        Matcher m = find(FENCE, record.get("m"));
        Matcher l = find(FENCE_OF_LEASE, record.get("l"));
        double fence = call.us;
        fence = m == null ? fence : Math.max(fence, number(m, 1) + 1);
        fence = l == null ? fence : Math.max(fence, number(l, 1) + 1);
        String stamps = stamps(call, whole(fence) + ' ' + whole(told.both()), 2);
        store(call, call.argument(1), stamps, call.number(3));
        near(call.argument(9), call.argument(10));
        wake(w, call.argument(8), pushed(call, stamps, call.argument(1), call.number(7)));
        return reply(1, call.ms, stamps);
    }

    /** The lives and the cost are arguments in a row. */
    private static String stamps(Call call, String fenceAndGeneration, int softLifeAt) {
        double soft = call.number(softLifeAt);
        double hard = call.number(softLifeAt + 1);
        return fenceAndGeneration
                + ' '
                + whole(soft > 0 ? call.ms + soft : 0)
                + ' '
                + whole(hard > 0 ? call.ms + hard : 0)
                + ' '
                + call.argument(softLifeAt + 2)
                + ' '
                + whole(soft)
                + ' '
                + whole(call.ms);
    }

    private void store(Call call, String envelope, String stamps, double hardLife) {
        hset(call.key(), "v", envelope);
        hset(call.key(), "m", stamps);
        hdel(call.key(), "l", "w", "e");
        if (hardLife > 0) {
            endAt(call, call.ms + hardLife + 1);
        } else {
            persist(call.key());
        }
    }

    private static String pushed(Call call, String stamps, String envelope, double pushMax) {
        String message = "P " + call.key().length() + ' ' + call.key() + stamps;
        return envelope.length() <= pushMax ? message + '\n' + envelope : message;
    }

    private Object renew(Call call) {
        Generations told = call.generations(4, 5);
        Matcher l = find(HOLDER_FENCE_GENERATION, hash(call.key()).get("l"));
        if (l == null || !l.group(1).equals(call.argument(1)) || number(l, 3) < told.both()) {
            return reply(0, call.ms);
        }
        double length = call.number(2);
        hset(call.key(), "l", l.group() + whole(call.ms + length) + ' ' + whole(length));
        lastAtLeast(call, length + call.number(3));
        return reply(1, call.ms);
    }

    private Object abandon(Call call) {
        Map<String, String> record = hash(call.key());
        String w = record.get("w");
        Matcher l = find(HOLDER, record.get("l"));
        if (l == null || !l.group(1).equals(call.argument(1))) {
            return reply(0, call.ms);
        }
        Matcher e = find(ONE_NUMBER, record.get("e"));
        boolean hasStamps = record.containsKey("m");
        hdel(call.key(), "l", "w");
        if (call.argument(2).equals("F")) {
            double inARow = (e == null ? 0 : number(e, 1)) + 1;
            double longest = Math.min(call.number(5), LONGEST_BACKOFF);
            double doubled = call.number(4) * Math.pow(2, Math.min(inARow - call.number(3), 30));
            double backoff = inARow >= call.number(3) ? Math.min(doubled, longest) : 0;
            String until = whole(call.ms + backoff) + ' ' + whole(backoff);
            hset(call.key(), "e", luaText(inARow) + ' ' + until + ' ' + call.argument(6));
            if (hasStamps) {
                lastAtLeast(call, backoff + longest);
            } else {
                endAt(call, call.ms + backoff + longest);
            }
        }
        wake(w, call.argument(7), "A " + call.key().length() + ' ' + call.key());
        return reply(1, call.ms);
    }

    private Object invalidate(Call call) {
        Map<String, String> record = hash(call.key());
        String w = record.get("w");
        Matcher m = match(TO_DECLARE_STALE, record.get("m"));
        if (call.argument(1).equals("HARD") || m == null) {
            del(call.key());
        } else {
            hset(call.key(), "m", m.group(1) + ' ' + m.group(2) + " 1 " + m.group(3) + ' ' + m.group(4));
            hdel(call.key(), "l", "w", "e");
            if (number(m, 3) > 0) {
                endAt(call, number(m, 3) + 1);
            } else {
                persist(call.key());
            }
        }
        near(call.argument(3), call.argument(4));
        wake(w, call.argument(2), "I " + call.key().length() + ' ' + call.key());
        return reply(1, call.ms);
    }

    private Object generation(Call call) {
        Entry before = string(call.key());
        Generations known = new Generations(call.number(2), call.number(3)).and(stored(call.key()));
        double next = Math.max(call.us, known.both() + 1);
        Generations now = switch (call.argument(1)) {
            case "HARD" -> new Generations(next, known.soft);
            case "SOFT" -> new Generations(known.hard, next);
            default -> known;
        };
        if (now.both() > 0 && (before == null || !before.text.equals(now.toString()))) {
            set(call.key(), now.toString());
            published.accept(new Message(call.argument(4), call.argument(5) + now));
        }
        return reply(call.ms, now.toString());
    }

    private Object lock(Call call) {
        Entry before = string(call.key());
        Matcher l = match(LOCK, before == null ? null : before.text);
        if (l != null && l.group(1).equals(call.argument(1))) {
            return reply(1, l.group(2));
        }
        double left = l == null ? 0 : number(l, 3) - call.ms;
        if (left > 0 && left <= 2 * number(l, 4) + 1_000) {
            return reply(0, "0");
        }
        String fence = whole(l == null ? call.us : Math.max(call.us, number(l, 2) + 1));
        hold(call, call.argument(1) + ' ' + fence);
        return reply(1, fence);
    }

    private Object extend(Call call) {
        Entry before = string(call.key());
        Matcher l = find(HOLDER_FENCE, before == null ? null : before.text);
        if (l == null || !l.group(1).equals(call.argument(1))) {
            return 0L;
        }
        hold(call, l.group(1) + ' ' + l.group(2));
        return 1L;
    }

    private void hold(Call call, String holderAndFence) {
        double length = call.number(2);
        set(call.key(), holderAndFence + ' ' + whole(call.ms + length) + ' ' + whole(length));
        endAt(call, call.ms + length);
    }

    private Object unlock(Call call) {
        Entry before = string(call.key());
        Matcher l = find(HOLDER, before == null ? null : before.text);
        if (l == null || !l.group(1).equals(call.argument(1))) {
            return 0L;
        }
        del(call.key());
        return 1L;
    }

    private void wake(String waiting, String prefix, String message) {
        Pattern.compile("\\S+")
                .matcher(waiting == null ? "" : waiting)
                .results()
                .forEach(inbox -> published.accept(new Message(prefix + inbox.group(), message)));
    }

    private void near(String channel, String message) {
        if (!channel.isEmpty()) {
            published.accept(new Message(channel, message));
        }
    }

    // What the server does with keys

    private interface Made {
        Entry entry();
    }

    /** What is there, unless its end has passed. */
    private Entry alive(String key) {
        Entry entry = entries.get(key);
        if (entry != null && entry.end != null && Math.floorDiv(micros.getAsLong(), 1_000L) > entry.end) {
            entries.remove(key);
            return null;
        }
        return entry;
    }

    private Entry entry(String key, Made made) {
        Entry entry = alive(key);
        if (entry == null) {
            entry = made.entry();
            entries.put(key, entry);
        }
        return entry;
    }

    /** A copy of the fields, as one HMGET reads them. */
    private Map<String, String> hash(String key) {
        Entry entry = alive(key);
        if (entry != null && entry.hash == null) {
            throw wrongType();
        }
        return entry == null ? Map.of() : Map.copyOf(entry.hash);
    }

    private Entry string(String key) {
        Entry entry = alive(key);
        if (entry != null && entry.text == null) {
            throw wrongType();
        }
        return entry;
    }

    private static JedisDataException wrongType() {
        return new JedisDataException("WRONGTYPE Operation against a key holding the wrong kind of value");
    }

    private void hdel(String key, String... fields) {
        Entry entry = alive(key);
        if (entry != null) {
            entry.hash.keySet().removeAll(Arrays.asList(fields));
            if (entry.hash.isEmpty()) {
                entries.remove(key);
            }
        }
    }

    private void endAt(Call call, double at) {
        Entry entry = alive(call.key());
        if (entry != null && at <= call.ms) {
            entries.remove(call.key());
        } else if (entry != null) {
            entry.end = (long) at;
        }
    }

    private void lastAtLeast(Call call, double least) {
        Entry entry = alive(call.key());
        if (entry != null && entry.end != null && entry.end - call.ms < least) {
            endAt(call, call.ms + least);
        }
    }

    private void persist(String key) {
        Entry entry = alive(key);
        if (entry != null) {
            entry.end = null;
        }
    }

    // Texts and numbers as Lua has them

    private static Matcher match(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text == null ? "" : text);
        return matcher.matches() ? matcher : null;
    }

    private static Matcher find(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text == null ? "" : text);
        return matcher.find() ? matcher : null;
    }

    private static double number(Matcher matcher, int group) {
        return Double.parseDouble(matcher.group(group));
    }

    /** As {@code %.0f} writes it. */
    private static String whole(double number) {
        return new BigDecimal(number).toPlainString();
    }

    /** As a whole number becomes a text by itself: with 14 digits. */
    private static String luaText(double number) {
        if (number < 1e14) {
            return whole(number);
        }
        String[] parts = String.format("%.13e", number).split("e");
        return parts[0].replaceAll("\\.?0+$", "") + 'e' + parts[1];
    }

    private static List<Object> reply(Object... items) {
        List<Object> reply = new ArrayList<>(items.length);
        for (Object item : items) {
            reply.add(
                    item instanceof String text ? bytes(text) : item instanceof Number n ? (Long) n.longValue() : item);
        }
        return reply;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(ISO_8859_1);
    }
}
