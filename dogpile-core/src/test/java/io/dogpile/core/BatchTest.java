package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchTest {
    private final FakeTime time = new FakeTime();
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private final List<List<String>> calls = Collections.synchronizedList(new ArrayList<>());

    /** Cells by name; a provider, where given, grants the rights. */
    private final class Cells implements Slots<String, String> {
        private final Map<String, Cell<String>> cells = new ConcurrentHashMap<>();
        private final LockProvider provider;

        Cells(LockProvider provider) {
            this.provider = provider;
        }

        @Override
        public Slot<String> slot(String name) {
            Cell<String> cell = cells.computeIfAbsent(name, n -> new Cell<>(time, n));
            return new LeasedSlot<>(cell, true, name, provider, Duration.ofSeconds(3));
        }

        String value(String name) {
            return cells.get(name).read().value;
        }
    }

    private final Cells cells = new Cells(null);
    private final DogpileLock<String> lock = DogpileLock.<String>builder()
            .staleAfter(Duration.ofSeconds(10))
            .clock(time)
            .build();

    private Map<String, String> values(Map<String, Acquired<String>> acquired) {
        Map<String, String> values = new LinkedHashMap<>();
        acquired.forEach((name, one) -> values.put(name, one.value()));
        return values;
    }

    private Map<String, String> made(Set<String> names) {
        calls.add(List.copyOf(names));
        Map<String, String> made = new HashMap<>();
        names.forEach(name -> made.put(name, name + calls.size()));
        return made;
    }

    private <T> Future<T> async(Callable<T> task) {
        return pool.submit(task);
    }

    @AfterEach
    void end() throws InterruptedException {
        pool.shutdownNow();
        assertTrue(pool.awaitTermination(10, TimeUnit.SECONDS));
        assertEquals(0, lock.inFlight());
    }

    @Test
    @Tag("C-101")
    @Tag("C-107")
    void coldNames_areCreatedInOneCall_uniqueAndInRequestOrder() {
        Map<String, Acquired<String>> acquired = lock.acquireAll(List.of("c", "a", "c", "b"), cells, this::made);

        assertEquals(List.of(List.of("c", "a", "b")), calls);
        assertEquals(List.of("c", "a", "b"), List.copyOf(acquired.keySet()));
        assertEquals(Map.of("a", "a1", "b", "b1", "c", "c1"), values(acquired));
        assertEquals(Acquired.Origin.CREATED, acquired.get("a").origin());
    }

    @Test
    void noNames_callNobody() {
        assertEquals(Map.of(), lock.acquireAll(List.of(), cells, this::made));
        assertEquals(List.of(), calls);
    }

    @Test
    void freshNames_areNotCreatedAgain_andAnOldOneIs() {
        lock.acquireAll(List.of("a"), cells, this::made);
        time.advance(Duration.ofSeconds(8));
        lock.acquireAll(List.of("b"), cells, this::made);
        time.advance(Duration.ofSeconds(4));

        assertEquals(
                Map.of("a", "a3", "b", "b2", "c", "c3"),
                values(lock.acquireAll(List.of("a", "b", "c"), cells, this::made)));
        assertEquals(List.of("a", "c"), calls.get(2));
    }

    @Test
    @Tag("C-110")
    void tenEqualBatchesAtOnce_areOneCall() throws Exception {
        CountDownLatch creating = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Future<Map<String, String>>> batches = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            batches.add(async(() -> values(lock.acquireAll(List.of("a", "b", "c"), cells, names -> {
                creating.countDown();
                go.await();
                return made(names);
            }))));
        }
        creating.await();
        time.awaitParked(9);
        go.countDown();

        for (Future<Map<String, String>> batch : batches) {
            assertEquals(Map.of("a", "a1", "b", "b1", "c", "c1"), batch.get(10, TimeUnit.SECONDS));
        }
        assertEquals(1, calls.size());
    }

    @Test
    void equalBatches_enterInOneStep_soThatNoneCreatesAPart() throws Exception {
        List<String> names = IntStream.range(0, 100).mapToObj(i -> "n" + i).toList();
        for (int round = 0; round < 100; round++) {
            Cells cold = new Cells(null);
            calls.clear();
            CyclicBarrier start = new CyclicBarrier(4);
            List<Future<?>> batches = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                batches.add(async(() -> {
                    start.await();
                    return lock.acquireAll(names, cold, this::made);
                }));
            }
            for (Future<?> batch : batches) {
                batch.get(10, TimeUnit.SECONDS);
            }
            assertEquals(1, calls.size(), () -> "a part of a batch was created by another: " + calls);
        }
    }

    @Test
    @Tag("C-109")
    void overlappingBatches_createEachNameOnce_andWaitForTheOthers() throws Exception {
        CountDownLatch creating = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Future<Map<String, String>> first = async(() -> values(lock.acquireAll(List.of("a", "b"), cells, names -> {
            creating.countDown();
            go.await();
            return made(names);
        })));
        creating.await();
        Future<Map<String, String>> second = async(() -> values(lock.acquireAll(List.of("b", "c"), cells, this::made)));
        time.awaitParked(1);
        assertEquals("c1", cells.value("c"), "what is free is created before anything is waited for");
        go.countDown();

        assertEquals(Map.of("a", "a2", "b", "b2"), first.get(10, TimeUnit.SECONDS));
        assertEquals(Map.of("b", "b2", "c", "c1"), second.get(10, TimeUnit.SECONDS));
        assertEquals(List.of(List.of("c"), List.of("a", "b")), calls);
    }

    @Test
    @Tag("C-108")
    void staleName_thatAnotherCreates_isAnsweredStale_andLeftOut() throws Exception {
        lock.acquireAll(List.of("a"), cells, this::made);
        time.advance(Duration.ofSeconds(11));
        CountDownLatch creating = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Future<String> other = async(() -> lock.get("a", cells.slot("a"), () -> {
            creating.countDown();
            go.await();
            return "other";
        }));
        creating.await();

        assertEquals(Map.of("a", "a1", "b", "b2"), values(lock.acquireAll(List.of("a", "b"), cells, this::made)));
        go.countDown();
        assertEquals("other", other.get(10, TimeUnit.SECONDS));
    }

    @Test
    void staleNames_withAnExecutor_areRefreshedBehindInOneCall() {
        List<Runnable> handed = new ArrayList<>();
        DogpileLock<String> behind = lock.with(o -> o.refreshOn(handed::add));
        lock.acquireAll(List.of("a", "b"), cells, this::made);
        time.advance(Duration.ofSeconds(11));

        assertEquals(
                Map.of("a", "a1", "b", "b1", "c", "c2"),
                values(behind.acquireAll(List.of("a", "b", "c"), cells, this::made)));
        assertEquals(1, handed.size());
        handed.get(0).run();
        assertEquals(List.of("a", "b"), calls.get(2));
        assertEquals("a3", cells.value("a"));
    }

    @Test
    void anExecutorThatThrowsAnError_hasRefused_andTheNamesAreFree() {
        DogpileLock<String> behind = lock.with(o -> o.refreshOn(task -> {
            throw new Error("no thread");
        }));
        lock.acquireAll(List.of("a"), cells, this::made);
        time.advance(Duration.ofSeconds(11));

        assertEquals(Map.of("a", "a1"), values(behind.acquireAll(List.of("a"), cells, this::made)));
        assertEquals(0, lock.inFlight());
    }

    @Nested
    class WhenTheCreator {
        @Test
        @Tag("C-176")
        void leavesANameOut_itIsAbsentFromTheResult_notStored_andNoFailure() throws Exception {
            CountDownLatch creating = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            Future<Map<String, String>> first = async(() -> values(lock.acquireAll(List.of("a", "b"), cells, names -> {
                creating.countDown();
                go.await();
                calls.add(List.copyOf(names));
                return Map.of("a", "A");
            })));
            creating.await();
            Future<Map<String, String>> equal =
                    async(() -> values(lock.acquireAll(List.of("a", "b"), cells, this::neverCalled)));
            time.awaitParked(1);
            go.countDown();

            assertEquals(Map.of("a", "A"), first.get(10, TimeUnit.SECONDS));
            assertEquals(Map.of("a", "A"), equal.get(10, TimeUnit.SECONDS), "who waited is told the same");
            assertEquals("b!", lock.get("b", cells.slot("b"), () -> "b!"), "it is asked for again next time");
        }

        private Map<String, String> neverCalled(Set<String> names) {
            throw new AssertionError("created a second time: " + names);
        }

        @Test
        @Tag("C-113")
        void leavesANameOut_andItsRightCannotBeGivenBack_theListenerIsTold() {
            List<String> told = new ArrayList<>();
            DogpileLock<String> telling = DogpileLock.<String>builder()
                    .clock(time)
                    .listener(new DogpileListener() {
                        @Override
                        public void storeDown(Object name, Throwable failure) {
                            told.add(name + ": " + failure.getMessage());
                        }
                    })
                    .build();
            Cells failing = new Cells((name, leaseTime) -> Optional.of(new Lease() {
                @Override
                public boolean extend(Duration by) {
                    return true;
                }

                @Override
                public void close() {
                    throw new IllegalStateException("not given back");
                }
            }));

            assertEquals(
                    Map.of("a", "A"),
                    values(telling.acquireAll(List.of("a", "b"), failing, names -> Map.of("a", "A"))));
            assertEquals(List.of("a: not given back", "b: not given back"), told);
        }

        @Test
        void leavesANameOut_oneWhoWaitsForItAlone_createsIt() throws Exception {
            CountDownLatch creating = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            Future<?> batch = async(() -> lock.acquireAll(List.of("a", "b"), cells, names -> {
                creating.countDown();
                go.await();
                return Map.of("a", "A");
            }));
            creating.await();
            Future<String> alone = async(() -> lock.get("b", cells.slot("b"), () -> "own"));
            time.awaitParked(1);
            go.countDown();

            batch.get(10, TimeUnit.SECONDS);
            assertEquals("own", alone.get(10, TimeUnit.SECONDS));
        }

        @Test
        @Tag("C-111")
        void throws_allItsNamesFailWithThat_andAreFree() {
            IllegalStateException thrown = new IllegalStateException("no");

            assertSame(
                    thrown,
                    assertThrows(
                            IllegalStateException.class,
                            () -> lock.acquireAll(List.of("a", "b"), cells, names -> {
                                throw thrown;
                            })));
            assertEquals(
                    Map.of("a", "a1", "b", "b1"),
                    values(lock.acquireAll(List.of("a", "b"), cells, BatchTest.this::made)));
        }

        @Test
        void returnsNull_isAFailure_andExtraNamesAreIgnored() {
            assertThrows(NullPointerException.class, () -> lock.acquireAll(List.of("a"), cells, names -> null));
            assertEquals(
                    Map.of("a", "1"),
                    values(lock.acquireAll(List.of("a"), cells, names -> Map.of("a", "1", "z", "2"))));
        }

        @Test
        @Tag("A-044")
        void asksForANameOfItsOwnBatch_isRefused() {
            IllegalStateException refused = assertThrows(
                    IllegalStateException.class,
                    () -> lock.acquireAll(
                            List.of("a", "b"), cells, names -> Map.of("a", lock.get("b", cells.slot("b"), () -> "x"))));
            assertTrue(refused.getMessage().contains("b"), refused.getMessage());
        }

        @Test
        void asksForAnotherName_getsIt() {
            assertEquals(
                    Map.of("a", "x"),
                    values(lock.acquireAll(
                            List.of("a"), cells, names -> Map.of("a", lock.get("c", cells.slot("c"), () -> "x")))));
        }
    }

    @Test
    void leasesOfABatch_areRenewedTogether_andGivenBack() {
        LockProvider provider = LockProvider.local();
        AtomicInteger extended = new AtomicInteger();
        LockProvider counting =
                (name, leaseTime) -> provider.tryAcquire(name, leaseTime).map(lease -> new Lease() {
                    @Override
                    public boolean extend(Duration by) {
                        extended.incrementAndGet();
                        return lease.extend(by);
                    }

                    @Override
                    public void close() {
                        lease.close();
                    }
                });
        Cells leased = new Cells(counting);
        DogpileLock<String> renewing =
                DogpileLock.<String>builder().clock(time).renewOn(Runnable::run).build();

        renewing.acquireAll(List.of("a", "b"), leased, names -> {
            assertEquals(1, time.alarms(), "one timer for the batch");
            time.advance(Duration.ofSeconds(1));
            assertEquals(2, extended.get());
            return made(names);
        });
        assertEquals(0, time.alarms());
        assertTrue(provider.tryAcquire("a", Duration.ofSeconds(1)).isPresent());
        assertTrue(provider.tryAcquire("b", Duration.ofSeconds(1)).isPresent());
    }

    @Test
    @Tag("C-112")
    void aClaimThatFailsForOneName_givesBackTheRightsToTheOthers() {
        LockProvider provider = LockProvider.local();
        Cells failing = new Cells((name, leaseTime) -> {
            if (name.equals("b")) {
                throw new IllegalStateException("unreachable");
            }
            return provider.tryAcquire(name, leaseTime);
        });

        assertEquals(Map.of("a", "a1", "b", "b1"), values(lock.acquireAll(List.of("a", "b"), failing, this::made)));
        assertTrue(provider.tryAcquire("a", Duration.ofSeconds(1)).isPresent());
    }

    @Test
    void aClaimThatFails_andRightsThatCannotBeGivenBack_areToldTogether() {
        List<Throwable> told = Collections.synchronizedList(new ArrayList<>());
        IllegalStateException unreachable = new IllegalStateException("unreachable");
        IllegalStateException notGivenBack = new IllegalStateException("not given back");
        Cells failing = new Cells((name, leaseTime) -> {
            if (name.equals("b")) {
                throw unreachable;
            }
            return Optional.of(new Lease() {
                @Override
                public boolean extend(Duration by) {
                    return true;
                }

                @Override
                public void close() {
                    throw notGivenBack;
                }
            });
        });
        DogpileLock<String> telling = DogpileLock.<String>builder()
                .clock(time)
                .listener(new DogpileListener() {
                    @Override
                    public void storeDown(Object name, Throwable failure) {
                        told.add(failure);
                    }
                })
                .build();

        telling.acquireAll(List.of("a", "b"), failing, this::made);
        assertEquals(List.of(unreachable, unreachable), told);
        assertEquals(List.of(notGivenBack), List.of(unreachable.getSuppressed()));
    }

    @Test
    void draftingThatFailsForOneName_costsThatNameAloneItsStoring() {
        LockProvider provider = LockProvider.local();
        Cells leased = new Cells(provider);
        DogpileLock<String> drafting = DogpileLock.<String>builder()
                .clock(time)
                .drafting((name, value, cost) -> {
                    if (name.equals("a")) {
                        throw new IllegalStateException("no draft");
                    }
                    return new Slot.Draft<>(value, Duration.ofSeconds(9), Duration.ofSeconds(9), cost, true);
                })
                .build();

        assertEquals(Map.of("a", "a1", "b", "b1"), values(drafting.acquireAll(List.of("a", "b"), leased, this::made)));
        assertEquals("b1", leased.value("b"));
        assertEquals(null, leased.value("a"));
        assertTrue(provider.tryAcquire("a", Duration.ofSeconds(1)).isPresent());
    }

    @Test
    void interruptedWhileWaiting_endsWithoutCreating() throws Exception {
        CountDownLatch creating = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Future<String> holder = async(() -> lock.get("a", cells.slot("a"), () -> {
            creating.countDown();
            go.await();
            return "x";
        }));
        creating.await();
        CountDownLatch ended = new CountDownLatch(1);
        Thread waiter = new Thread(() -> {
            assertThrows(DogpileException.class, () -> lock.acquireAll(List.of("a"), cells, this::made));
            assertTrue(Thread.currentThread().isInterrupted());
            ended.countDown();
        });
        waiter.start();
        time.awaitParked(1);
        waiter.interrupt();
        assertTrue(ended.await(10, TimeUnit.SECONDS));
        go.countDown();
        holder.get(10, TimeUnit.SECONDS);
        assertEquals(List.of(), calls);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    @Tag("C-119")
    void randomOverlap_neverHangs_andNoNameIsCreatedTwiceAtOnce(long seed) throws Exception {
        Set<String> creatingNow = ConcurrentHashMap.newKeySet();
        DogpileLock<String> always = DogpileLock.<String>builder()
                .staleAfter(Duration.ZERO)
                .neverStale()
                .build();
        Cells free = new Cells(seed % 2 == 0 ? LockProvider.local() : null);
        List<Future<?>> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            SplittableRandom random = new SplittableRandom(seed * 100 + t);
            threads.add(async(() -> {
                for (int round = 0; round < 250; round++) {
                    Set<String> names = new HashSet<>();
                    for (int n = random.nextInt(1, 6); n > 0; n--) {
                        names.add("k" + random.nextInt(10));
                    }
                    List<String> asked = new ArrayList<>(names);
                    Collections.shuffle(asked, new java.util.Random(random.nextLong()));
                    assertEquals(
                            names,
                            always.acquireAll(asked, free, missing -> {
                                        Map<String, String> made = new HashMap<>();
                                        for (String name : missing) {
                                            assertTrue(
                                                    creatingNow.add(name),
                                                    () -> name + " is created twice at once, seed " + seed);
                                            made.put(name, name);
                                        }
                                        Thread.onSpinWait();
                                        creatingNow.removeAll(missing);
                                        return made;
                                    })
                                    .keySet());
                }
                return null;
            }));
        }
        for (Future<?> thread : threads) {
            thread.get(60, TimeUnit.SECONDS);
        }
    }
}
