package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Creators that ask for names, their own and each other's. */
class RecursionTest {
    private static final int ROUNDS = 9;

    /** A machine that stalls makes some rounds slow; who waits for a timer is slow in each. */
    private static final int MOST_ROUNDS = 50;

    private final FakeTime time = new FakeTime();
    private final ConcurrentHashMap<String, ScriptedSlot<String>> slots = new ConcurrentHashMap<>();
    private final DogpileLock<String> lock =
            DogpileLock.<String>builder().clock(time).build();
    private final Callers callers = new Callers();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private String get(String name, Creator<String> creator) {
        return lock.get(name, slots.computeIfAbsent(name, any -> new ScriptedSlot<>(time)), creator);
    }

    @Nested
    class OneThread {
        @Test
        @Tag("A-044")
        void ownName_isRefusedWithTheChain_andTheNameIsFreeAfterwards() {
            IllegalStateException refused = assertThrows(
                    IllegalStateException.class, () -> get("a", () -> get("b", () -> get("a", () -> "never"))));

            assertTrue(refused.getMessage().contains("a -> b -> a"), refused.getMessage());
            assertEquals(0, lock.inFlight());
            assertEquals("new", get("a", () -> "new"));
        }

        @Test
        @Tag("A-044")
        void creatorThatHandlesTheRefusal_goesOn() {
            String got = get(
                    "a",
                    () -> "without "
                            + assertThrows(IllegalStateException.class, () -> get("a", () -> "never"))
                                    .getClass()
                                    .getSimpleName());

            assertEquals("without IllegalStateException", got);
        }

        @Test
        @Tag("A-044")
        void ownNameBehindAView_isRefusedToo() {
            DogpileLock<String> view = lock.with(DogpileLock.Builder::neverStale);

            assertThrows(
                    IllegalStateException.class,
                    () -> get("a", () -> view.get("a", new ScriptedSlot<>(time), () -> "never")));
        }

        @Test
        void otherNames_areAllowed() {
            assertEquals("abc", get("a", () -> "a" + get("b", () -> "b" + get("c", () -> "c"))));
        }

        @Test
        void sameNameOfAnotherLock_isAnotherName() {
            DogpileLock<String> other =
                    DogpileLock.<String>builder().clock(time).build();

            assertEquals("new", get("a", () -> other.get("a", new ScriptedSlot<>(time), () -> "new")));
        }

        @Test
        void freshValueOfItsOwnName_isNoRecursion() {
            String got = get("a", () -> {
                slots.get("a").holding("theirs", Duration.ZERO);
                return get("a", () -> "never");
            });

            assertEquals("theirs", got);
        }
    }

    @Nested
    class SeveralThreads {
        /** What each creator got of the next name, or the message of its refusal. */
        private final List<String> refusals = new CopyOnWriteArrayList<>();

        private final AtomicLong lastAsked = new AtomicLong();
        private final AtomicLong refusedAt = new AtomicLong();

        private Creator<String> asking(String own, String next, CyclicBarrier bothRun) {
            return () -> {
                bothRun.await();
                try {
                    lastAsked.accumulateAndGet(System.nanoTime(), Math::max);
                    return own + get(next, () -> "never");
                } catch (IllegalStateException refused) {
                    refusedAt.set(System.nanoTime());
                    refusals.add(refused.getMessage());
                    return own;
                }
            };
        }

        private void ring(String... names) {
            CyclicBarrier allRun = new CyclicBarrier(names.length);
            List<Callers.Caller<String>> all = new ArrayList<>();
            for (int i = 0; i < names.length; i++) {
                String own = names[i];
                String next = names[(i + 1) % names.length];
                all.add(callers.start(() -> get(own, asking(own, next, allRun))));
            }
            all.forEach(Callers.Caller::result);
        }

        @Test
        void twoWhoAskForEachOthersName_exactlyOneIsRefused_withTheChain_within100Milliseconds() {
            long atOnce = Duration.ofMillis(100).toNanos();
            List<Long> took = new ArrayList<>();
            for (int round = 0; round < ROUNDS || round < MOST_ROUNDS && Collections.min(took) >= atOnce; round++) {
                refusals.clear();

                ring("x" + round, "y" + round);

                took.add(refusedAt.get() - lastAsked.get());
                assertEquals(1, refusals.size());
                String chain = "x" + round + " -> y" + round + " -> x" + round;
                String same = "y" + round + " -> x" + round + " -> y" + round;
                String message = refusals.get(0);
                assertTrue(message.contains(chain) || message.contains(same), message);
            }
            assertTrue(Collections.min(took) < atOnce, took::toString);
            assertEquals(0, lock.inFlight());
        }

        @Test
        void threeInARing_exactlyOneIsRefused() {
            for (int round = 0; round < ROUNDS; round++) {
                refusals.clear();
                ring("x" + round, "y" + round, "z" + round);
                assertEquals(1, refusals.size());
            }
        }

        @Test
        void twoWhoAskForAThird_waitForIt() throws Exception {
            CyclicBarrier together = new CyclicBarrier(3);
            Callers.Caller<String> third = callers.start(() -> get("c", () -> {
                together.await();
                time.awaitParked(2);
                return "c";
            }));
            Callers.Caller<String> first = callers.start(() -> get("a", asking("a", "c", together)));
            Callers.Caller<String> second = callers.start(() -> get("b", asking("b", "c", together)));

            assertEquals("c", third.result());
            assertEquals("ac", first.result());
            assertEquals("bc", second.result());
            assertFalse(refusals.size() > 0);
        }

        @Test
        void creationThatIsOverdue_isWaitedForNoMore_andIsNoCycle() {
            DogpileLock<String> bounded = DogpileLock.<String>builder()
                    .clock(time)
                    .maxCreation(Duration.ofSeconds(30))
                    .hardTimeout(Duration.ofMinutes(5))
                    .build();
            ScriptedSlot<String> a = new ScriptedSlot<>(time);
            ScriptedSlot<String> b = new ScriptedSlot<>(time);
            CountDownLatch running = new CountDownLatch(1);
            CountDownLatch askNow = new CountDownLatch(1);
            Callers.Caller<String> late = callers.start(() -> bounded.get("b", b, () -> {
                running.countDown();
                askNow.await();
                return "late after " + bounded.get("a", a, () -> "never");
            }));
            DogpileLockTest.await(() -> running.getCount() == 0);
            time.advance(Duration.ofSeconds(10));
            Callers.Caller<String> outer = callers.start(() -> bounded.get(
                    "a",
                    a,
                    () -> "a of "
                            + bounded.get("b", b, () -> {
                                askNow.countDown();
                                time.awaitParked(1);
                                return "b";
                            })));
            time.awaitParked(1);

            time.advance(Duration.ofSeconds(20).plusNanos(1));

            assertEquals("a of b", outer.result());
            assertEquals("late after a of b", late.result());
        }

        @Test
        void nameThatWasWaitedForBefore_isNoCycle() {
            CyclicBarrier together = new CyclicBarrier(2);
            Callers.Caller<String> first = callers.start(() -> get("a", asking("a", "b", together)));
            Callers.Caller<String> second = callers.start(() -> get("b", () -> {
                together.await();
                time.awaitParked(1);
                return "b";
            }));
            assertEquals("ab", first.result());
            assertEquals("b", second.result());
            slots.get("b").invalidate();

            assertEquals("bab", get("b", () -> "b" + get("a", () -> "never")));
        }
    }
}
