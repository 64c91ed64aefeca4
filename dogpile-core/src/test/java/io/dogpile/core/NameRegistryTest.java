package io.dogpile.core;

import static io.dogpile.core.Background.collected;
import static io.dogpile.core.Background.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NameRegistryTest {
    /** Two names in one bin of any hash table. */
    private static final String COLLIDING = "Aa";

    private static final String WITH_IT = "BB";

    private final AtomicInteger created = new AtomicInteger();

    /** A registry of new objects, counting. */
    private final NameRegistry<Object> registry = NameRegistry.of(name -> {
        created.incrementAndGet();
        return new Object();
    });

    @Nested
    class WhileHeld {
        @Test
        @DisplayName("B-001 get_twice_givesTheSameObject")
        void get_twice_givesTheSameObject() throws Exception {
            Object held = registry.get("name");

            assertSame(held, registry.get("name"));
            assertSame(held, Background.start(() -> registry.get("name")).result());
            assertNotSame(held, registry.get("other"));
            assertEquals(2, created.get());
        }

        @Test
        @DisplayName("B-001 B-016 get_afterCollections_givesTheSameObject")
        void get_afterCollections_givesTheSameObject() throws Exception {
            for (int round = 0; round < 5; round++) {
                String name = "name" + round;
                Object held = registry.get(name);
                int identity = System.identityHashCode(held);
                collected(new WeakReference<>(new Object()));

                assertEquals(
                        identity,
                        Background.start(() -> System.identityHashCode(registry.get(name)))
                                .result());
                Reference.reachabilityFence(held);
            }
            assertEquals(5, created.get());
        }

        @Test
        @DisplayName("B-006 F-030 get_creates_withTheNameAndTheFurtherArguments")
        void get_creates_withTheNameAndTheFurtherArguments() {
            NameRegistry<String> named = NameRegistry.of(name -> "made for " + name);
            int argument = 10;

            assertEquals("made for one", named.get("one"));
            assertEquals("made for two with 10", named.get("two", name -> "made for " + name + " with " + argument));
        }

        @Test
        @DisplayName("B-007 get_withOtherArguments_givesWhatTheFirstHolderMade")
        void get_withOtherArguments_givesWhatTheFirstHolderMade() {
            NameRegistry<AtomicInteger> cells = registryOfCells();
            AtomicInteger first = cells.get("k", name -> new AtomicInteger(10));

            assertSame(first, cells.get("k", name -> new AtomicInteger(99)));
            assertSame(first, cells.get("k"));
            assertEquals(10, first.get());
        }

        private NameRegistry<AtomicInteger> registryOfCells() {
            return NameRegistry.of(name -> new AtomicInteger());
        }
    }

    @Nested
    class WhenDropped {
        @Test
        @DisplayName("B-003 get_afterTheObjectWasCollected_createsAnew")
        void get_afterTheObjectWasCollected_createsAnew() {
            WeakReference<Object> dropped = new WeakReference<>(registry.get("name"));
            collected(dropped);

            eventually("the entry is gone", () -> registry.size() == 0);
            assertNotNull(registry.get("name"));
            assertEquals(2, created.get());
        }

        @Test
        @DisplayName("B-003 get_onceDone_leavesNothingOnItsThread")
        void get_onceDone_leavesNothingOnItsThread() throws Exception {
            Background.run(() -> collected(new WeakReference<>(registry.get("name"))))
                    .result();
        }

        @Test
        @DisplayName("B-004 purge_ofAnOldReference_leavesTheNewerObject")
        void purge_ofAnOldReference_leavesTheNewerObject() {
            Object old = registry.get("name");
            NameRegistry.Entry<Object> oldEntry = registry.entries.get("name");
            oldEntry.clear();
            Object newer = registry.get("name");
            assertNotSame(old, newer);

            assertTrue(oldEntry.enqueue());
            assertEquals(1, registry.size());
            assertSame(newer, registry.get("name"));
            assertEquals(2, created.get());
        }

        @Test
        @DisplayName("B-018 get_thatOnlyHits_purgesTheDead")
        void get_thatOnlyHits_purgesTheDead() {
            Object held = registry.get("held");
            for (int i = 0; i < 200; i++) {
                assertNotNull(registry.get("passing" + i));
            }
            collected(new WeakReference<>(new Object()));

            eventually("hits alone purge", () -> {
                assertSame(held, registry.get("held"));
                return registry.entries.size() == 1;
            });
            assertEquals(201, created.get());
        }

        @Test
        @DisplayName("B-018 get_ofOtherNames_purgesMoreThanItAdds")
        void get_ofOtherNames_purgesMoreThanItAdds() {
            List<Object> held = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                held.add(registry.get("passing" + i));
            }
            registry.entries.values().forEach(NameRegistry.Entry::enqueue);

            for (int i = 0; i < 5; i++) {
                held.add(registry.get("new" + i));
            }
            assertEquals(5, registry.entries.size());
            Reference.reachabilityFence(held);
        }

        @Test
        @DisplayName("B-018 get_ofMillionsOfNames_fitsASmallHeap")
        void get_ofMillionsOfNames_fitsASmallHeap() throws Exception {
            Process child = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx24m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            ManyNames.class.getName(),
                            "1000000")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(child.getInputStream().readAllBytes());

            assertTrue(child.waitFor(60, TimeUnit.SECONDS), said);
            assertEquals(0, child.exitValue(), said);
        }
    }

    @Nested
    class WhileCreating {
        @Test
        @DisplayName("B-002 get_firstCallsAtOnce_createOnce")
        void get_firstCallsAtOnce_createOnce() throws Exception {
            int callers = 32;
            CountDownLatch mayCreate = new CountDownLatch(1);
            NameRegistry<Object> slow = NameRegistry.of(name -> {
                created.incrementAndGet();
                awaitLatch(mayCreate);
                return new Object();
            });
            AtomicInteger ready = new AtomicInteger();
            List<Background<Object>> all = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                all.add(Background.start(() -> {
                    ready.incrementAndGet();
                    while (ready.get() < callers) {
                        Thread.yield();
                    }
                    return slow.get("name");
                }));
            }
            for (Background<Object> one : all) {
                one.parked();
            }
            eventually("the creator runs", () -> created.get() > 0);
            mayCreate.countDown();

            Object shared = all.get(0).result();
            for (Background<Object> one : all) {
                assertSame(shared, one.result());
            }
            assertEquals(1, created.get());
        }

        @Test
        @DisplayName("B-011 B-012 get_ofOtherNames_isNotDelayedByASlowCreator")
        void get_ofOtherNames_isNotDelayedByASlowCreator() throws Exception {
            CountDownLatch creating = new CountDownLatch(1);
            CountDownLatch mayCreate = new CountDownLatch(1);
            Object existing = registry.get("existing");
            Background<Object> slow = Background.start(() -> registry.get(COLLIDING, name -> {
                creating.countDown();
                awaitLatch(mayCreate);
                return new Object();
            }));
            awaitLatch(creating);

            assertSame(
                    existing, Background.start(() -> registry.get("existing")).result());
            Object colliding = Background.start(() -> registry.get(WITH_IT)).result();
            Object other = Background.start(() -> registry.get("other")).result();
            assertFalse(slow.isDone());

            mayCreate.countDown();
            assertNotSame(slow.result(), colliding);
            assertNotSame(other, colliding);
        }

        @Test
        @DisplayName("B-008 creator_asksForOtherNames_getsThem")
        void creator_asksForOtherNames_getsThem() {
            NameRegistry<List<Object>> nested = NameRegistry.of(name -> List.of(name));
            List<Object> outer = nested.get(
                    COLLIDING,
                    name -> List.of(nested.get(WITH_IT), nested.get("third", third -> List.of(nested.get(WITH_IT)))));

            assertEquals(List.of(List.of(WITH_IT), List.of(List.of(WITH_IT))), outer);
            assertEquals(3, nested.size());
            assertSame(outer, nested.get(COLLIDING));
        }

        @Test
        @DisplayName("B-010 get_creatorThrew_registersNothingAndTheNextTriesAnew")
        void get_creatorThrew_registersNothingAndTheNextTriesAnew() {
            IllegalArgumentException failure = new IllegalArgumentException("planned");

            assertSame(
                    failure,
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> registry.get("name", name -> {
                                throw failure;
                            })));
            assertEquals(0, registry.size());
            assertNotNull(registry.get("name"));
        }

        @Test
        @DisplayName("B-010 get_creatorThrew_thoseWhoWaitedShareTheFailure_lateComersTryAnew")
        void get_creatorThrew_thoseWhoWaitedShareTheFailure_lateComersTryAnew() throws Exception {
            CountDownLatch creating = new CountDownLatch(1);
            CountDownLatch mayFail = new CountDownLatch(1);
            Error failure = new Error("planned");
            Background<Object> first = Background.start(() -> registry.get("name", name -> {
                creating.countDown();
                awaitLatch(mayFail);
                throw failure;
            }));
            awaitLatch(creating);
            Background<Object> retrying = Background.start(() -> {
                assertSame(failure, assertThrows(Error.class, () -> registry.get("name")));
                return registry.get("name");
            });
            retrying.parked();
            assertEquals(0, created.get());
            mayFail.countDown();

            assertSame(failure, first.failure());
            assertNotNull(retrying.result());
            assertEquals(1, created.get());
        }

        @Test
        @DisplayName("B-013 get_nulls_areRefused")
        void get_nulls_areRefused() {
            assertEquals(
                    "name must not be null",
                    assertThrows(NullPointerException.class, () -> registry.get(null))
                            .getMessage());
            assertEquals(
                    "creator must not be null",
                    assertThrows(NullPointerException.class, () -> registry.get("name", null))
                            .getMessage());
            assertEquals(
                    "creator must not be null",
                    assertThrows(NullPointerException.class, () -> NameRegistry.of(null))
                            .getMessage());
            assertEquals(
                    "the creator gave null for the name \"name\"",
                    assertThrows(NullPointerException.class, () -> registry.get("name", name -> null))
                            .getMessage());
            assertEquals(0, registry.size());
            assertEquals(0, created.get());
            assertNotNull(registry.get("name"));
        }

        @Test
        void get_interruptedWhileItWaits_throwsAndKeepsTheFlag() throws Exception {
            CountDownLatch creating = new CountDownLatch(1);
            CountDownLatch mayCreate = new CountDownLatch(1);
            Background<Object> creator = Background.start(() -> registry.get("name", name -> {
                creating.countDown();
                awaitLatch(mayCreate);
                return "made";
            }));
            awaitLatch(creating);
            AtomicBoolean flag = new AtomicBoolean();
            Background<Object> waiter = Background.start(() -> {
                try {
                    return registry.get("name");
                } finally {
                    flag.set(Thread.currentThread().isInterrupted());
                }
            });
            waiter.parked();
            waiter.thread.interrupt();

            DogpileException failure = assertInstanceOf(DogpileException.class, waiter.failure());
            assertTrue(failure.getMessage().contains("\"name\""), failure.getMessage());
            assertTrue(flag.get());
            mayCreate.countDown();
            assertEquals("made", creator.result());
        }
    }

    @Nested
    class InACircle {
        /** A machine that stalls is slow now and then; who waits for a timer is slow each time. */
        private static final int ATTEMPTS = 30;

        @Test
        @DisplayName("B-009 creator_asksForItsOwnName_isRefused")
        void creator_asksForItsOwnName_isRefused() {
            Map<String, IllegalStateException> seen = new ConcurrentHashMap<>();
            IllegalStateException refused =
                    assertThrows(IllegalStateException.class, () -> registry.get("a", name -> registry.get("a")));

            assertTrue(refused.getMessage().contains("\"a\" -> \"a\""), refused.getMessage());
            assertEquals(0, registry.size());
            assertEquals(0, created.get());

            Object made = registry.get("a", name -> {
                registry.get("inner, made before");
                seen.put(name, assertThrows(IllegalStateException.class, () -> registry.get("a")));
                return "made all the same";
            });
            assertEquals(Set.of("a"), seen.keySet());
            assertTrue(
                    seen.get("a").getMessage().contains(": \"a\" -> \"a\";"),
                    seen.get("a").getMessage());
            assertSame(made, registry.get("a"));
        }

        @Test
        @DisplayName("B-009 creator_asksForAnOuterName_isRefusedWithTheChain")
        void creator_asksForAnOuterName_isRefusedWithTheChain() {
            NameRegistry<Object> other = NameRegistry.of(name -> registry.get("a"));
            IllegalStateException refused = assertThrows(
                    IllegalStateException.class,
                    () -> registry.get("outer", o -> registry.get("a", a -> registry.get("b", b -> other.get("c")))));

            assertTrue(refused.getMessage().contains(": \"a\" -> \"b\" -> \"c\" -> \"a\";"), refused.getMessage());
            assertEquals(0, registry.size());
            assertNotNull(registry.get("a"));
        }

        @Test
        @DisplayName("B-009 creators_onTwoThreads_areRefusedAtOnce")
        void creators_onTwoThreads_areRefusedAtOnce() throws Exception {
            long atOnce = TimeUnit.MILLISECONDS.toNanos(100);
            long fastest = Long.MAX_VALUE;
            for (int attempt = 0; attempt < ATTEMPTS && fastest >= atOnce; attempt++) {
                fastest = Math.min(fastest, nanosToRefuse(List.of("a", "b")));
            }
            assertTrue(fastest < atOnce, fastest + " ns");
        }

        @Test
        @DisplayName("B-009 creators_onManyThreads_areRefused")
        void creators_onManyThreads_areRefused() throws Exception {
            nanosToRefuse(List.of("a", "b", "c", "d", "e"));
        }

        /** Each name's creator runs on a thread of its own and asks for the next name, the last for the first. */
        private long nanosToRefuse(List<String> names) throws Exception {
            int count = names.size();
            CyclicBarrier allCreate = new CyclicBarrier(count);
            long[] asked = new long[1];
            List<Background<Object>> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                String next = names.get((i + 1) % count);
                String own = names.get(i);
                all.add(Background.start(() -> registry.get(
                        own,
                        name -> registry.get("inner " + own, inner -> {
                            awaitBarrier(allCreate);
                            asked[0] = System.nanoTime();
                            return registry.get(next);
                        }))));
            }
            IllegalStateException refused = null;
            for (Background<Object> one : all) {
                IllegalStateException failure = assertInstanceOf(IllegalStateException.class, one.failure());
                assertTrue(refused == null || refused == failure, "one is refused, and the others share it");
                refused = failure;
            }
            long nanos = System.nanoTime() - asked[0];
            int links = refused.getMessage().split(" -> ", -1).length - 1;
            assertEquals(2 * count, links, refused.getMessage());
            assertEquals(0, registry.size());
            assertEquals(0, created.get());
            return nanos;
        }

        @Test
        @DisplayName("B-008 B-009 creator_waitsForAnotherThreadsName_getsIt")
        void creator_waitsForAnotherThreadsName_getsIt() throws Exception {
            CountDownLatch creating = new CountDownLatch(1);
            CountDownLatch mayCreate = new CountDownLatch(1);
            Background<Object> b = Background.start(() -> registry.get("b", name -> {
                creating.countDown();
                awaitLatch(mayCreate);
                return List.of(registry.get("c"));
            }));
            awaitLatch(creating);
            Background<Object> a = Background.start(() -> registry.get("a", name -> List.of(registry.get("b"))));
            a.parked();
            Background<Object> alsoA = Background.start(() -> registry.get("outer", name -> registry.get("a")));
            alsoA.parked();
            mayCreate.countDown();

            assertEquals(List.of(b.result()), a.result());
            assertSame(a.result(), alsoA.result());
        }
    }

    @Nested
    class AsLocks {
        /** Where a collection takes long, nobody would come on if one followed the other. */
        private static final int SECTIONS_PER_COLLECTION = 5;

        @ParameterizedTest(name = "B-015 name_isInOneSectionAtATime forced collections: {0}")
        @ValueSource(booleans = {false, true})
        void name_isInOneSectionAtATime(boolean collecting) throws Exception {
            int threads = 19;
            int iterations = 20;
            String[] names = {"beans", "means", "please"};
            NameRegistry<ReentrantLock> locks = NameRegistry.of(name -> new ReentrantLock());
            Map<String, AtomicBoolean> batons =
                    Map.of(names[0], new AtomicBoolean(), names[1], new AtomicBoolean(), names[2], new AtomicBoolean());
            AtomicInteger sections = new AtomicInteger();
            AtomicInteger clashes = new AtomicInteger();
            AtomicBoolean done = new AtomicBoolean();
            Background<Void> collector = Background.run(() -> {
                for (int collections = 0; collecting && !done.get(); ) {
                    if (sections.get() < collections * SECTIONS_PER_COLLECTION) {
                        LockSupport.parkNanos(100_000);
                    } else {
                        System.gc();
                        collections++;
                    }
                }
            });
            List<Background<Void>> all = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                SplittableRandom random = new SplittableRandom(t);
                all.add(Background.run(() -> {
                    for (int i = 0; i < iterations; i++) {
                        String name = names[random.nextInt(names.length)];
                        ReentrantLock lock = locks.get(name);
                        lock.lock();
                        try {
                            if (!batons.get(name).compareAndSet(false, true)) {
                                clashes.incrementAndGet();
                            }
                            LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(10)));
                            sections.incrementAndGet();
                            batons.get(name).set(false);
                        } finally {
                            lock.unlock();
                        }
                    }
                }));
            }
            try {
                for (Background<Void> one : all) {
                    one.result();
                }
            } finally {
                done.set(true);
            }
            collector.result();

            assertEquals(0, clashes.get());
            assertEquals(380, sections.get());
        }

        @Test
        @DisplayName("A-033 B-016 B-017 gate_heldByALeaseAlone_staysTheGateOfItsName")
        void gate_heldByALeaseAlone_staysTheGateOfItsName() {
            NameRegistry<Gate> gates = NameRegistry.of(name -> new Gate());
            HeldGate lease = hold(gates, "name");
            for (int i = 0; i < 3; i++) {
                collected(new WeakReference<>(new Object()));
                assertEquals(0, gates.get("name").tryAcquire());
            }

            assertTrue(lease.gate.release(lease.token));
            assertTrue(gates.get("name").tryAcquire() > lease.token);
        }

        @Test
        @DisplayName("A-033 gate_forgottenAndCollected_isFollowedByHigherTokens")
        void gate_forgottenAndCollected_isFollowedByHigherTokens() {
            NameRegistry<Gate> gates = NameRegistry.of(name -> new Gate());
            long token = 0;
            for (int i = 0; i < 3; i++) {
                Gate gate = gates.get("name");
                long next = gate.tryAcquire();
                assertTrue(next > token, next + " after " + token);
                token = next;
                WeakReference<Gate> forgotten = new WeakReference<>(gate);
                gate = null;
                collected(forgotten);
            }
        }

        private HeldGate hold(NameRegistry<Gate> gates, String name) {
            Gate gate = gates.get(name);
            return new HeldGate(gate, gate.tryAcquire());
        }
    }

    private record HeldGate(Gate gate, long token) {}

    /** Lets many names pass through one registry; to be run in a small heap. */
    static final class ManyNames {
        private ManyNames() {}

        public static void main(String[] args) {
            NameRegistry<byte[]> registry = NameRegistry.of(name -> new byte[16]);
            AtomicReference<Object> sink = new AtomicReference<>();
            int most = 0;
            for (int i = 0; i < Integer.parseInt(args[0]); i++) {
                sink.setPlain(registry.get("name " + i));
                most = Math.max(most, registry.entries.size());
            }
            System.out.println("at most " + most + " entries");
        }
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitBarrier(CyclicBarrier barrier) {
        try {
            barrier.await(20, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
