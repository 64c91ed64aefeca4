package io.dogpile.core;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the names whose last creation failed. After two failures in a row, or as many as asked for, a name
 * backs off: 100 ms, doubling with each further failure up to 30 s. A success forgets it, and so does the longest
 * back-off without a try after the last one's end.
 *
 * <p>It is a map of its own, of at most {@value #MOST_NAMES} names, held strongly: what is only weakly held, such as the
 * entry of a {@link NameRegistry}, would forget its failures. When it is full those go first that are free soonest.
 */
final class Backoff {
    static final int MOST_NAMES = 10_000;
    private static final int ROOM_MADE_AT_ONCE = MOST_NAMES / 10;
    private static final int LONGEST_TEXT = 300;

    private final ConcurrentHashMap<Object, Failures> failed = new ConcurrentHashMap<>();
    private final Delays delays;

    Backoff(Delays delays) {
        this.delays = delays;
    }

    /** How long a name backs off, in nanoseconds: from that many failures in a row on, the first time, doubling. */
    record Delays(int failures, long first, long longest) {
        static final Delays DEFAULT = new Delays(2, TimeUnit.MILLISECONDS.toNanos(100), TimeUnit.SECONDS.toNanos(30));

        private long after(int inARow) {
            if (inARow < failures) {
                return 0;
            }
            int doublings = inARow - failures;
            return doublings >= Long.numberOfLeadingZeros(first) - 1 ? longest : Math.min(first << doublings, longest);
        }
    }

    /** The failures in a row of one name. */
    record Failures(int inARow, long until, long forgottenFrom, String text, TimeSource time) {
        boolean forgottenAt(long now) {
            return now > forgottenFrom;
        }

        private boolean isForgotten() {
            return forgottenAt(time.nanos());
        }
    }

    /** Returns the failures of a name that backs off at {@code now}, or null if it may be tried. */
    @Nullable
    Failures check(Object name, long now) {
        Failures failures = failed.get(name);
        return failures == null || failures.inARow < delays.failures || now > failures.until ? null : failures;
    }

    void failed(Object name, Throwable failure, TimeSource time) {
        String text = Names.render(failure, LONGEST_TEXT);
        long now = time.nanos();
        failed.compute(name, (key, before) -> {
            int inARow = before == null || before.forgottenAt(now) ? 1 : before.inARow + 1;
            long until = Stored.deadline(now, delays.after(inARow));
            return new Failures(inARow, until, Stored.deadline(until, delays.longest), text, time);
        });
        if (failed.size() > MOST_NAMES) {
            makeRoom();
        }
    }

    void succeeded(Object name) {
        failed.remove(name);
    }

    int size() {
        return failed.size();
    }

    private void makeRoom() {
        failed.values().removeIf(Failures::isForgotten);
        int tooMany = failed.size() - MOST_NAMES;
        if (tooMany <= 0) {
            return;
        }
        List<Map.Entry<Object, Failures>> freeSoonest = failed.entrySet().stream()
                .map(entry -> Map.entry(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingLong(entry -> entry.getValue().until()))
                .limit(tooMany + ROOM_MADE_AT_ONCE)
                .toList();
        freeSoonest.forEach(entry -> failed.remove(entry.getKey(), entry.getValue()));
    }
}
