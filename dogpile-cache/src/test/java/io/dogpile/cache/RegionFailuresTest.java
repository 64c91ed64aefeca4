package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.CreationException;
import io.dogpile.core.DogpileException;
import io.dogpile.core.DogpileListener.WaitOutcome;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.Slot;
import io.dogpile.core.WhenDown;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Creators and backends that fail, and what their callers get. */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionFailuresTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TWO_SECONDS = Duration.ofSeconds(2);

    private final FakeTime time = new FakeTime();
    private final AtomicInteger creations = new AtomicInteger();
    private final Callers callers = new Callers();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("users").clock(time).recordStats();
    }

    private String next(String key) {
        return key + " " + creations.incrementAndGet();
    }

    private String boom(String key) {
        creations.incrementAndGet();
        throw new IllegalStateException("boom");
    }

    @Nested
    class Creators {
        private final Region<String, String> region =
                builder().staleAfter(SECOND).expireAfter(Duration.ofMinutes(1)).build();

        @Test
        @Tag("C-073")
        void uncheckedFailures_andErrors_passThroughAsThemselves() {
            var boom = new IllegalStateException("boom");
            assertSame(
                    boom,
                    assertThrows(
                            IllegalStateException.class,
                            () -> region.getOrCreate("key", k -> {
                                throw boom;
                            })));
            var error = new AssertionError("bug");
            assertSame(
                    error,
                    assertThrows(
                            AssertionError.class,
                            () -> region.refresh("other", k -> {
                                throw error;
                            })));
            assertEquals(Map.of(), region.peekAll(List.of("key", "other")));
            assertFalse(region.isCreating("key"));
            assertEquals(2, region.stats().failures());
        }

        @Test
        @Tag("E-040")
        void checkedOnes_arriveInACreationException_thatNamesRegionAndKey() {
            var checked = new IOException("disk on fire");
            CreationException thrown = assertThrows(
                    CreationException.class,
                    () -> region.getOrCreate("key", k -> {
                        throw checked;
                    }));
            assertSame(checked, thrown.getCause());
            assertInstanceOf(DogpileException.class, thrown);
            assertTrue(thrown.getMessage().contains("region 'users', key 'key'"), thrown.getMessage());
        }

        @Test
        void aStaleValue_isServedInstead_andTheFailureIsCounted() {
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            assertEquals("old", region.getOrCreate("key", RegionFailuresTest.this::boom));
            assertEquals(1, region.stats().failures());
            assertEquals(1, region.stats().staleServed());
            assertEquals(Map.of("key", "old"), region.getOrCreateAll(List.of("key"), missing -> {
                throw new IOException("boom");
            }));
        }

        @Test
        void anExpiredValue_isNotServed() {
            region.put("key", "old");
            time.advance(Duration.ofMinutes(1).plusNanos(1));
            assertThrows(IllegalStateException.class, () -> region.getOrCreate("key", RegionFailuresTest.this::boom));
        }

        @Test
        void neverStale_getsTheFailure_thoughThereIsAStaleValue() {
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            assertThrows(
                    IllegalStateException.class,
                    () -> region.with(RegionBuilder::neverStale).getOrCreate("key", RegionFailuresTest.this::boom));
        }

        @Test
        void aRefreshThatFails_throws_andLeavesTheValue() {
            region.put("key", "old");
            assertThrows(IllegalStateException.class, () -> region.refresh("key", RegionFailuresTest.this::boom));
            assertEquals(Optional.of("old"), region.get("key"));
        }

        @Test
        @Tag("W-22")
        void allWhoWaited_getTheSameFailure_byOneCall() throws Exception {
            Held<String> held = Held.then(() -> boom("key"));
            List<Callers.Caller<String>> all = callers.start(32, () -> region.getOrCreate("key", held));
            held.awaitBegun();
            time.awaitParked(31);
            held.letGo();
            Throwable first = all.get(0).failure();
            all.forEach(caller -> assertSame(first, caller.failure()));
            assertEquals(1, creations.get());
            assertEquals(31, region.stats().waits(WaitOutcome.FAILURE));
        }

        @Test
        void nulls_areOneCreationForAllWhoWaited() throws Exception {
            Held<String> held = new Held<>(null);
            List<Callers.Caller<String>> all = callers.start(32, () -> region.getOrCreate("key", held));
            held.awaitBegun();
            time.awaitParked(31);
            held.letGo();
            all.forEach(caller -> assertNull(caller.result()));
            assertEquals(1, held.calls());
        }
    }

    @Nested
    class BackOff {
        @Test
        void begins_afterTwoFailuresInARow_andDoubles() {
            Region<String, String> region = builder().build();
            fail(region, 2);
            CreationException refused = assertThrows(
                    CreationException.class, () -> region.getOrCreate("key", RegionFailuresTest.this::next));
            assertTrue(refused.getMessage().contains("boom"), refused.getMessage());
            assertEquals(Optional.of(Duration.ofMillis(100)), refused.retryAfter());
            assertEquals(2, creations.get());
            assertEquals(1, region.stats().backOffHits());
            time.advance(Duration.ofMillis(101));
            fail(region, 1);
            refused = assertThrows(
                    CreationException.class, () -> region.getOrCreate("key", RegionFailuresTest.this::next));
            assertEquals(Optional.of(Duration.ofMillis(200)), refused.retryAfter());
            time.advance(Duration.ofMillis(201));
            assertEquals("key 4", region.getOrCreate("key", RegionFailuresTest.this::next));
        }

        @Test
        void isAsConfigured() {
            Region<String, String> region = builder()
                    .failureBackoff(3, Duration.ofSeconds(5), Duration.ofSeconds(7))
                    .build();
            fail(region, 3);
            assertEquals(
                    Optional.of(Duration.ofSeconds(5)),
                    assertThrows(CreationException.class, () -> region.getOrCreate("key", () -> "value"))
                            .retryAfter());
            time.advance(Duration.ofSeconds(6));
            fail(region, 1);
            assertEquals(
                    Optional.of(Duration.ofSeconds(7)),
                    assertThrows(CreationException.class, () -> region.getOrCreate("key", () -> "value"))
                            .retryAfter());
        }

        @Test
        void isOfTheKeyAlone_andOfItsViewsToo() {
            Region<String, String> region = builder().build();
            fail(region, 2);
            assertEquals("other 3", region.getOrCreate("other", RegionFailuresTest.this::next));
            assertThrows(
                    CreationException.class,
                    () -> region.with(RegionBuilder::neverStale).getOrCreate("key", RegionFailuresTest.this::next));
        }

        @Test
        void servesStale_whereThereIsSome() {
            Region<String, String> region = builder().staleAfter(SECOND).build();
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            for (int i = 0; i < 5; i++) {
                assertEquals("old", region.getOrCreate("key", RegionFailuresTest.this::boom));
            }
            assertEquals(2, creations.get());
            assertEquals(3, region.stats().backOffHits());
        }

        private void fail(Region<String, String> region, int times) {
            for (int i = 0; i < times; i++) {
                assertThrows(
                        IllegalStateException.class, () -> region.getOrCreate("key", RegionFailuresTest.this::boom));
            }
        }
    }

    @Nested
    class Recursion {
        private final Region<String, String> region = builder().build();

        @Test
        @Tag("W-23")
        void ofTheSameKey_isRefused_withTheChainOfKeys() {
            var refused = assertThrows(
                    IllegalStateException.class,
                    () -> region.getOrCreate(
                            "a",
                            a -> region.getOrCreate("b", b -> region.getOrCreate("a", RegionFailuresTest.this::next))));
            assertTrue(refused.getMessage().contains("a -> b -> a"), refused.getMessage());
            assertTrue(refused.getMessage().contains("region 'users', key 'a'"), refused.getMessage());
            assertEquals(0, creations.get());
        }

        @Test
        void ofTheSameKey_byAView_aBatch_aRefreshOrAsync_isRefusedToo() {
            for (KeyedCreator<String, String> again : List.<KeyedCreator<String, String>>of(
                    k -> region.with(RegionBuilder::neverStale).getOrCreate(k, RegionFailuresTest.this::next),
                    k -> region.getOrCreateAll(List.of("x", k), missing -> Map.of())
                            .get(k),
                    k -> region.refresh(k, RegionFailuresTest.this::next),
                    k -> region.async(new HandDriven())
                            .getOrCreate(k, key -> null)
                            .join())) {
                Region<String, String> fresh = region;
                fresh.invalidate("key");
                time.advance(Duration.ofMinutes(1));
                assertThrows(IllegalStateException.class, () -> fresh.getOrCreate("key", again));
            }
        }

        @Test
        @Tag("C-077")
        void ofOtherKeys_isAllowed_andTheSameKeyOfAnotherRegionToo() {
            Region<String, String> other =
                    Region.<String, String>builder("other").build();
            assertEquals(
                    "a(b(c))",
                    region.getOrCreate(
                            "a",
                            a -> "a("
                                    + region.getOrCreate("b", b -> "b(" + other.getOrCreate("a", x -> "c") + ")")
                                    + ")"));
        }

        @Test
        void circlesOfTwoThreads_areRefused() throws Exception {
            Held<String> both = new Held<>("both hold their key");
            Callers.Caller<String> one = callers.start(() -> region.getOrCreate("a", a -> {
                both.create();
                return region.getOrCreate("b", RegionFailuresTest.this::next);
            }));
            both.awaitBegun();
            Callers.Caller<String> other =
                    callers.start(() -> region.getOrCreate("b", b -> region.getOrCreate("a", () -> "never")));
            time.awaitParked(1);
            both.letGo();
            assertTrue(
                    one.failure() instanceof IllegalStateException || other.failure() instanceof IllegalStateException);
        }
    }

    @Nested
    class StoresThatFail {
        private final SpyBackend spy = new SpyBackend();
        private final Exception down = new IOException("connection reset");
        private final Region<String, String> region =
                builder().backend(spy).staleAfter(SECOND).build();

        @Test
        @Tag("C-074")
        @Tag("W-04")
        void toStore_costTheCallerNothing_andAreCounted() throws Exception {
            spy.publishesFail = down;
            Held<String> held = new Held<>("value");
            List<Callers.Caller<String>> all = callers.start(4, () -> region.getOrCreate("key", held));
            held.awaitBegun();
            time.awaitParked(3);
            held.letGo();
            all.forEach(caller -> assertEquals("value", caller.result()));
            assertEquals(1, held.calls());
            assertEquals(1, region.stats().storeFailures());
            assertEquals(1, region.stats().writesRefused(Slot.Published.Outcome.UNKNOWN));
            assertFalse(region.isCreating("key"));
            assertEquals(
                    Map.of("a", "1", "b", "2"),
                    region.getOrCreateAll(List.of("a", "b"), missing -> Map.of("a", "1", "b", "2")));
            assertEquals(Map.of(), region.peekAll(List.of("key", "a", "b")));
        }

        @Test
        void toStoreAPut_areTold() {
            spy.changesFail = down;
            DogpileException thrown = assertThrows(DogpileException.class, () -> region.put("key", "secret"));
            assertSame(down, thrown.getCause());
            assertTrue(thrown.getMessage().contains("region 'users', key 'key'"), thrown.getMessage());
            assertFalse(thrown.getMessage().contains("secret"), thrown.getMessage());
            assertThrows(DogpileException.class, () -> region.putAll(Map.of("a", "1", "b", "2")));
            assertEquals(3, region.stats().storeFailures());
        }

        @Test
        void toRead_areCreatedBy_oneCallerInTheJvm_byDefault() throws Exception {
            spy.readsFail = down;
            Held<String> held = new Held<>("value");
            List<Callers.Caller<String>> all = callers.start(4, () -> region.getOrCreate("key", held));
            held.awaitBegun();
            time.awaitParked(3);
            held.letGo();
            all.forEach(caller -> assertEquals("value", caller.result()));
            assertEquals(1, held.calls());
            assertTrue(region.stats().storeFailures() >= 1);
            assertEquals(Optional.empty(), region.get("key"));
            assertEquals(Optional.empty(), region.peek("key"));
            assertEquals(Map.of(), region.getAll(List.of("key", "other")));
            assertEquals(Map.of(), region.peekAll(List.of("key")));
            assertEquals(Map.of("a", "1"), region.getOrCreateAll(List.of("a"), missing -> Map.of("a", "1")));
        }

        @Test
        void eachReadThatFails_isCountedOncePerKey() {
            spy.readsFail = down;
            region.get("key");
            assertEquals(1, region.stats().storeFailures());
            region.peek("key");
            assertEquals(2, region.stats().storeFailures());
            region.getAll(List.of("a", "b"));
            assertEquals(4, region.stats().storeFailures());
            region.isCreating("key");
            assertEquals(5, region.stats().storeFailures());
            assertEquals(3, region.stats().misses());
        }

        @Test
        void toRead_failTheCall_whereThatIsThePolicy() {
            Region<String, String> strict =
                    builder().backend(spy).whenDown(WhenDown.FAIL).build();
            spy.readsFail = down;
            for (Executable call : List.<Executable>of(
                    () -> strict.getOrCreate("key", RegionFailuresTest.this::next),
                    () -> strict.get("key"),
                    () -> strict.peek("key"),
                    () -> strict.getAll(List.of("key")),
                    () -> strict.peekAll(List.of("key")),
                    () -> strict.isCreating("key"),
                    () -> strict.getOrCreateAll(List.of("key"), missing -> Map.of()),
                    () -> strict.refresh("key", RegionFailuresTest.this::next))) {
                DogpileException thrown = assertThrows(DogpileException.class, call);
                assertSame(down, thrown.getCause());
                assertTrue(thrown.getMessage().contains("region 'users', key 'key'"), thrown.getMessage());
            }
            assertEquals(0, creations.get());
            Region<String, String> lenient = strict.with(o -> o.whenDown(WhenDown.CREATE));
            assertEquals(Optional.empty(), lenient.get("key"));
            assertEquals("key 1", lenient.getOrCreate("key", RegionFailuresTest.this::next));
        }

        @Test
        void toGrant_serveStale_whateverThePolicy() {
            for (WhenDown policy : WhenDown.values()) {
                Region<String, String> one = builder()
                        .backend(spy)
                        .staleAfter(SECOND)
                        .whenDown(policy)
                        .build();
                spy.claimsFail = null;
                one.put("key", "old");
                time.advance(TWO_SECONDS);
                spy.claimsFail = down;
                assertEquals("old", one.getOrCreate("key", RegionFailuresTest.this::next));
                assertEquals(Map.of("key", "old"), one.getOrCreateAll(List.of("key"), missing -> Map.of("key", "new")));
                assertEquals(2, one.stats().storeFailures());
            }
            assertEquals(0, creations.get());
        }

        @Test
        void toGrant_areCreatedWithoutARight_andNotStored() {
            spy.claimsFail = down;
            assertEquals("key 1", region.getOrCreate("key", RegionFailuresTest.this::next));
            assertEquals(Optional.empty(), region.peek("key"));
            assertEquals(1, region.stats().writesRefused(Slot.Published.Outcome.UNKNOWN));
        }

        @Test
        void aKeyIsCut_inMessages() {
            spy.changesFail = down;
            String key = "k".repeat(5_000);
            DogpileException thrown = assertThrows(DogpileException.class, () -> region.put(key, "value"));
            assertTrue(thrown.getMessage().length() < 300, thrown.getMessage());
            assertTrue(thrown.getMessage().contains("k".repeat(100) + "..."), thrown.getMessage());
        }

        @Test
        @Tag("C-138")
        void aValueThatCannotBeSerialized_isTheCallersAllTheSame() {
            Region<String, String> picky = builder().serializer(new Picky()).build();
            assertEquals("refused", picky.getOrCreate("key", k -> "refused"));
            assertEquals(Optional.empty(), picky.peek("key"));
            assertFalse(picky.isCreating("key"));
            assertEquals(1, picky.stats().writesRefused(Slot.Published.Outcome.UNKNOWN));
            picky.put("other", "old");
            assertThrows(DogpileException.class, () -> picky.put("other", "refused"));
            assertThrows(
                    DogpileException.class, () -> picky.putAll(Map.of("a", "fine", "other", "refused", "z", "fine")));
            assertEquals(Map.of("other", "old"), picky.getAll(List.of("a", "other", "z")));
        }

        private final class Picky implements Serializer<String> {
            @Override
            public int id() {
                return FIRST_USER_ID;
            }

            @Override
            public byte[] write(String value) throws Exception {
                if (value.equals("refused")) {
                    throw new IOException("no such class");
                }
                return Serializer.string().write(value);
            }

            @Override
            public String read(byte[] bytes) throws Exception {
                return Serializer.string().read(bytes);
            }
        }
    }

    @Nested
    class Waiters {
        private final Region<String, String> region =
                builder().hardTimeout(SECOND).staleAfter(SECOND).build();
        private final Held<String> held = new Held<>("value");

        @Test
        @Tag("E-005")
        @Tag("W-03")
        void atTheHardTimeout_areToldSo_andCreateNothing() throws Exception {
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            Callers.Caller<String> late = callers.start(() -> region.getOrCreate("key", RegionFailuresTest.this::next));
            time.awaitParked(1);
            time.advance(SECOND);
            HardTimeoutException thrown = assertInstanceOf(HardTimeoutException.class, late.failure());
            assertTrue(thrown.getMessage().contains("region 'users', key 'key'"), thrown.getMessage());
            held.letGo();
            assertEquals("value", elected.result());
            assertEquals(0, creations.get());
        }

        @Test
        void interrupted_createNothing_andKeepTheirFlag() throws Exception {
            callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            AtomicInteger flagged = new AtomicInteger();
            Callers.Caller<String> waiting = callers.start(() -> {
                try {
                    return region.getOrCreate("key", RegionFailuresTest.this::next);
                } finally {
                    flagged.set(Thread.currentThread().isInterrupted() ? 1 : -1);
                }
            });
            time.awaitParked(1);
            waiting.interrupt();
            assertInstanceOf(DogpileException.class, waiting.failure());
            assertEquals(1, flagged.get());
            assertEquals(0, creations.get());
            held.letGo();
        }
    }
}
