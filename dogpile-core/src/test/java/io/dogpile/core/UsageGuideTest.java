package io.dogpile.core;

import static java.time.Duration.ofHours;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Acquired.Origin;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.Held;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The ancestor's usage guide, chapter by chapter: what it says must hold here. */
@Tag("E-029")
class UsageGuideTest {
    private static final Duration HOUR = ofHours(1);
    private static final Duration TICK = ofNanos(1);

    private final FakeTime time = new FakeTime();
    private final Crew crew = new Crew();

    @AfterEach
    void dismiss() {
        crew.close();
    }

    private <V> Dogpile.Builder<V> hourly() {
        return Dogpile.<V>builder().staleAfter(HOUR).options(o -> o.clock(time));
    }

    /** Chapter one: the resource is the user's own field, the dogpile only says when to create it. */
    @Nested
    class RudimentaryUsage {
        private final Dogpile<Object> dogpile = UsageGuideTest.this.hourly().build();
        private final AtomicReference<String> resource = new AtomicReference<>();
        private final AtomicInteger creations = new AtomicInteger();

        private void create() {
            resource.set("version " + creations.incrementAndGet());
        }

        private Held<Object> held() {
            return Held.then(() -> {
                create();
                return resource;
            });
        }

        private Future<String> use(Held<Object> creator) {
            return crew.start(() -> use(() -> run(creator)));
        }

        private String use(Runnable creator) {
            dogpile.ensure(creator);
            return resource.get();
        }

        private void createTheFirst() {
            assertEquals("version 1", use(this::create));
        }

        @Test
        @Tag("F-001")
        void creator_isCalledBeforeTheFirstUse() {
            ConcurrentLinkedQueue<String> log = new ConcurrentLinkedQueue<>();
            dogpile.ensure(() -> log.add("create"));
            log.add("use");
            assertEquals(List.of("create", "use"), List.copyOf(log));
        }

        @Test
        @Tag("F-002")
        @Tag("F-003")
        void nobodyUsesIt_beforeItWasCreatedOnce() throws Exception {
            Held<Object> creator = held();
            CyclicBarrier start = new CyclicBarrier(10);
            List<Future<String>> users = crew.start(10, () -> {
                start.await();
                return use(() -> run(creator));
            });
            creator.awaitBegun();
            time.awaitParked(9);
            assertTrue(users.stream().noneMatch(Future::isDone));
            creator.letGo();
            assertEquals(Collections.nCopies(10, "version 1"), Crew.results(users));
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("F-004")
        @Tag("A-077")
        void firstCreationThatFails_isNoCreation() throws Exception {
            IllegalStateException failure = new IllegalStateException("no");
            Held<Object> fails = Held.then(() -> {
                throw failure;
            });
            Future<String> elected = use(fails);
            fails.awaitBegun();
            Future<String> waited = use(held());
            time.awaitParked(1);
            fails.letGo();
            assertSame(failure, failureOf(elected));
            assertSame(failure, failureOf(waited));
            assertFalse(dogpile.hasValue());

            Held<Object> creates = held();
            Future<String> next = use(creates);
            creates.awaitBegun();
            Future<String> third = use(held());
            time.awaitParked(1);
            creates.letGo();
            assertEquals("version 1", Crew.result(next));
            assertEquals("version 1", Crew.result(third));
        }

        @Test
        @Tag("F-005")
        void whenStale_oneOfTenCreates_atTheNextCall() throws Exception {
            createTheFirst();
            time.advance(HOUR);
            assertEquals("version 1", use(this::create));
            time.advance(ofHours(10));
            assertEquals(0, time.alarms());
            assertEquals(1, creations.get());
            Held<Object> creator = held();
            Future<String> elected = use(creator);
            creator.awaitBegun();
            assertEquals(Collections.nCopies(9, "version 1"), Crew.results(crew.start(9, () -> use(this::create))));
            creator.letGo();
            assertEquals("version 2", Crew.result(elected));
            assertEquals(2, creations.get());
        }

        @Test
        @Tag("F-006")
        @Tag("F-007")
        void whileItIsCreatedAgain_othersFallThrough_andTheOldOneIsThere() throws Exception {
            createTheFirst();
            time.advance(HOUR.plus(TICK));
            Held<Object> creator = held();
            Future<String> elected = use(creator);
            creator.awaitBegun();
            for (int caller = 0; caller < 10; caller++) {
                assertEquals("version 1", use(this::create));
            }
            assertEquals(0, time.parkedThreads());
            assertFalse(elected.isDone());
            creator.letGo();
            assertEquals("version 2", Crew.result(elected));
        }

        @Test
        @Tag("F-008")
        @Tag("A-080")
        void whatWasCreated_isNotKeptHere() {
            AtomicReference<byte[]> big = new AtomicReference<>();
            dogpile.ensure(() -> big.set(new byte[1_000]));
            WeakReference<byte[]> old = new WeakReference<>(big.getAndSet(null));
            for (int collection = 0; collection < 100 && !old.refersTo(null); collection++) {
                System.gc();
            }
            assertTrue(old.refersTo(null));
            assertTrue(dogpile.hasValue());
        }

        @Test
        @Tag("F-009")
        @Tag("F-023")
        void twoDogpiles_doNotBlockEachOther() throws Exception {
            Held<Object> creator = held();
            Future<String> elected = use(creator);
            creator.awaitBegun();
            Dogpile<Object> another = UsageGuideTest.this.hourly().build();
            AtomicInteger created = new AtomicInteger();
            another.ensure(created::incrementAndGet);
            assertEquals(1, created.get());
            creator.letGo();
            Crew.result(elected);
        }

        @Test
        @Tag("F-010")
        void times_areDurations_neverBareNumbers() {
            List<Class<?>> numbers = List.of(int.class, long.class, double.class, Integer.class, Long.class);
            Stream.of(Dogpile.class, Dogpile.Builder.class)
                    .flatMap(type -> Arrays.stream(type.getMethods()))
                    .filter(method -> method.getDeclaringClass() != Object.class)
                    .forEach(method -> assertTrue(
                            Collections.disjoint(List.of(method.getParameterTypes()), numbers), method::toString));
            assertEquals(0, Dogpile.class.getConstructors().length);
        }
    }

    /** Chapter two: the user's getter tells the value, or that there is none. */
    @Nested
    class AValueFunction {
        private final Map<String, String> cache = new ConcurrentHashMap<>();
        private final AtomicInteger reads = new AtomicInteger();
        private final AtomicInteger creations = new AtomicInteger();
        private final Dogpile<String> dogpile =
                UsageGuideTest.this.<String>hourly().build();

        private Optional<String> read() {
            reads.incrementAndGet();
            return Optional.ofNullable(cache.get("key"));
        }

        private String create() {
            String value = "value " + creations.incrementAndGet();
            cache.put("key", value);
            return value;
        }

        private Acquired<String> acquire() {
            return dogpile.acquire(this::create, this::read);
        }

        @Test
        @Tag("F-011")
        void valueThatVanishes_isCreatedAheadOfTime() {
            acquire();
            cache.clear();
            assertEquals("value 2", acquire().value());
            assertEquals(Origin.FRESH, acquire().origin());
        }

        @Test
        @Tag("F-012")
        void valueThatWasChecked_isTheOneThatIsUsed() {
            acquire();
            AtomicInteger changing = new AtomicInteger();
            Acquired<String> acquired =
                    dogpile.acquire(this::create, () -> Optional.of("reading " + changing.incrementAndGet()));
            assertEquals("reading 1", acquired.value());
            assertEquals(1, changing.get());
        }

        @Test
        @Tag("F-015")
        void everyCaller_getsTheValue() throws Exception {
            Held<String> creator = Held.then(this::create);
            Future<Acquired<String>> elected = crew.start(() -> dogpile.acquire(creator, this::read));
            creator.awaitBegun();
            Future<Acquired<String>> waits = crew.start(this::acquire);
            time.awaitParked(1);
            creator.letGo();
            assertEquals("value 1", Crew.result(elected).value());
            assertEquals("value 1", Crew.result(waits).value());
            assertEquals("value 1", acquire().value());
            time.advance(HOUR.plus(TICK));
            assertEquals("value 2", acquire().value());
        }

        @Test
        @Tag("F-017")
        @Tag("A-020")
        void storeThatDropsAll_isNoError_andNoLoop() throws Exception {
            Held<String> creator = new Held<>("created");
            Future<Acquired<String>> elected = crew.start(() -> dogpile.acquire(creator, Optional::empty));
            creator.awaitBegun();
            Future<Acquired<String>> waits = crew.start(() -> dogpile.acquire(creator, Optional::empty));
            time.awaitParked(1);
            creator.letGo();
            assertEquals("created", Crew.result(elected).value());
            assertEquals("created", Crew.result(waits).value());
            assertEquals(1, creator.calls());
            assertEquals("created", dogpile.acquire(creator, Optional::empty).value());
            assertEquals(2, creator.calls());
        }

        @Test
        @Tag("F-020")
        @Tag("F-021")
        void getter_isCalledOnce_andOnceMoreOnlyForWhatIsAbsent() throws Exception {
            acquire();
            assertEquals(0, reads.getAndSet(0), "knows of no creation, and need not ask");
            acquire();
            assertEquals(1, reads.getAndSet(0), "fresh");
            time.advance(HOUR.plus(TICK));
            Held<String> creator = Held.then(this::create);
            Future<Acquired<String>> elected = crew.start(() -> dogpile.acquire(creator, this::read));
            creator.awaitBegun();
            assertEquals(1, reads.getAndSet(0), "stale, and elected");
            assertEquals(Origin.STALE, acquire().origin());
            assertEquals(1, reads.getAndSet(0), "stale, and another creates");
            creator.letGo();
            Crew.result(elected);
            cache.clear();
            acquire();
            assertEquals(2, reads.get(), "absent: a second look before it is created");
        }

        @Test
        @Tag("F-024")
        void nullThatTheGetterCallsAbsent_isCreatedAtEachCall() {
            AtomicInteger calls = new AtomicInteger();
            for (int call = 1; call <= 3; call++) {
                assertNull(dogpile.acquire(
                                () -> {
                                    calls.incrementAndGet();
                                    return null;
                                },
                                () -> Optional.ofNullable(cache.get("key")))
                        .value());
                assertEquals(call, calls.get());
            }
        }
    }

    /** Chapter three: a caching decorator, one dogpile for each function. */
    @Nested
    class ACachingDecorator {
        private final Map<String, String> cache = new ConcurrentHashMap<>();

        private Supplier<String> cached(String key, Creator<String> slow) {
            Dogpile<String> dogpile = UsageGuideTest.this.<String>hourly().build();
            return () -> dogpile.acquire(
                            () -> {
                                String value = slow.create();
                                cache.put(key, value);
                                return value;
                            },
                            () -> Optional.ofNullable(cache.get(key)))
                    .value();
        }

        @Test
        @Tag("F-019")
        void twoHours_ofConstantLoad() throws Exception {
            AtomicInteger live = new AtomicInteger();
            AtomicInteger mostLive = new AtomicInteger();
            AtomicInteger creations = new AtomicInteger();
            Supplier<String> function = cached("key", () -> {
                mostLive.accumulateAndGet(live.incrementAndGet(), Math::max);
                Thread.yield();
                live.decrementAndGet();
                return "value " + creations.incrementAndGet();
            });
            for (int minute = 0; minute < 120; minute++) {
                Crew.results(crew.start(8, function::get));
                time.advance(ofSeconds(60));
            }
            assertEquals(1, mostLive.get());
            assertEquals(2, creations.get());
            assertEquals("value 2", function.get());
            cache.clear();
            Crew.results(crew.start(8, function::get));
            assertEquals(3, creations.get());
            assertEquals(1, mostLive.get());
        }

        @Test
        @Tag("F-023")
        void twoFunctions_createAtTheSameTime() throws Exception {
            CyclicBarrier both = new CyclicBarrier(2);
            Supplier<String> one = cached("one", () -> "one of " + (both.await() >= 0));
            Supplier<String> two = cached("two", () -> "two of " + (both.await() >= 0));
            Future<String> first = crew.start(one::get);
            assertEquals("two of true", Crew.result(crew.start(two::get)));
            assertEquals("one of true", Crew.result(first));
        }
    }

    /** Chapter four: any number of keys; dogpiles live no longer than they are used. */
    @Nested
    class Scaling {
        private final Map<String, Stamped<String>> cache = new ConcurrentHashMap<>();
        private final AtomicInteger creations = new AtomicInteger();

        /** The recipe. Only the factory in it is another when the lock is another: F-035. */
        private Acquired<String> recipe(
                Function<String, Dogpile<String>> registry, String key, Duration life, Creator<String> slow) {
            return registry.apply(key)
                    .with(o -> o.staleAfter(life))
                    .acquireStamped(
                            () -> {
                                String value = slow.create();
                                creations.incrementAndGet();
                                Stamped<String> stamped = new Stamped<>(value, time.instant());
                                cache.put(key, stamped);
                                return stamped;
                            },
                            () -> Optional.ofNullable(cache.get(key)));
        }

        private Dogpile<String> plain(String key) {
            return UsageGuideTest.this.<String>hourly().build();
        }

        @Test
        @Tag("F-026")
        void threadsOfOneKey_shareOneDogpile_whichIsNotKept() throws Exception {
            NameRegistry<Dogpile<String>> registry = NameRegistry.of(this::plain);
            Held<String> creator = new Held<>("a");
            var elected = crew.start(() -> recipe(registry::get, "key", HOUR, creator));
            creator.awaitBegun();
            var waits = crew.start(5, () -> recipe(registry::get, "key", HOUR, creator));
            time.awaitParked(5);
            assertSame(registry.get("key"), registry.get("key"));
            creator.letGo();
            assertEquals("a", Crew.result(elected).value());
            for (Acquired<String> waited : Crew.results(waits)) {
                assertEquals("a", waited.value());
            }
            assertEquals(1, creator.calls());
            Background.eventually("nothing keeps it", () -> {
                System.gc();
                return registry.size() == 0;
            });
        }

        @Test
        @Tag("F-026")
        @Tag("A-033")
        @Tag("B-017")
        void dogpileInUse_isKept_thoughOnlyItsCallersHoldIt() throws Exception {
            NameRegistry<Dogpile<String>> registry = NameRegistry.of(this::plain);
            Held<String> creator = new Held<>("a");
            var elected = crew.start(() -> registry.get("key").get(creator));
            creator.awaitBegun();
            System.gc();
            var waits = crew.start(() -> registry.get("key").get(creator));
            time.awaitParked(1);
            creator.letGo();
            assertEquals("a", Crew.result(elected));
            assertEquals("a", Crew.result(waits));
            assertEquals(1, creator.calls());
        }

        @Test
        @Tag("F-027")
        @Tag("A-078")
        void newDogpilesOnEachCall_createOnlyWhatIsStale() {
            for (int minute = 0; minute <= 60; minute++) {
                assertEquals("a", recipe(this::plain, "key", HOUR, () -> "a").value());
                time.advance(ofSeconds(60));
            }
            assertEquals(1, creations.get());
            assertEquals("b", recipe(this::plain, "key", HOUR, () -> "b").value());
            assertEquals("b", recipe(this::plain, "key", HOUR, () -> "c").value());
            assertEquals(2, creations.get());
        }

        @Test
        @Tag("F-029")
        void howThePairIsStored_doesNotMatter() {
            Map<String, Object> columns = new HashMap<>();
            AtomicReference<String> text = new AtomicReference<>();
            for (int round = 1; round <= 3; round++) {
                Dogpile<String> one = plain("columns");
                Stamped<String> created = new Stamped<>("value " + round, time.instant());
                assertEquals(
                        "value " + round,
                        one.acquireStamped(
                                        () -> {
                                            columns.put("value", created.value());
                                            columns.put("at", created.createdAt());
                                            return created;
                                        },
                                        () -> Optional.ofNullable((String) columns.get("value"))
                                                .map(value -> new Stamped<>(value, (Instant) columns.get("at"))))
                                .value());
                assertEquals(
                        "value " + round,
                        plain("text")
                                .acquireStamped(
                                        () -> {
                                            text.set(created.createdAt() + "=" + created.value());
                                            return created;
                                        },
                                        () -> Optional.ofNullable(text.get())
                                                .map(stored -> stored.split("=", 2))
                                                .map(pair -> new Stamped<>(pair[1], Instant.parse(pair[0]))))
                                .value());
                time.advance(HOUR.plus(TICK));
            }
        }

        @Test
        @Tag("F-030")
        void registry_givesTheFactoryTheKey() {
            ConcurrentLinkedQueue<String> keys = new ConcurrentLinkedQueue<>();
            NameRegistry<Dogpile<String>> registry = NameRegistry.of(key -> {
                keys.add(key);
                return plain(key);
            });
            Dogpile<String> held = registry.get("a key");
            assertNotSame(held, registry.get("another"));
            assertEquals(List.of("a key", "another"), List.copyOf(keys));
        }

        @Test
        @Tag("F-031")
        void twoCallersOfOneKey_areEachJudgedByTheirOwnLife() {
            NameRegistry<Dogpile<String>> registry = NameRegistry.of(this::plain);
            Dogpile<String> held = registry.get("key");
            recipe(registry::get, "key", ofSeconds(10), () -> "a");
            time.advance(ofSeconds(50));
            assertEquals(
                    "a", recipe(registry::get, "key", ofSeconds(99), () -> "b").value());
            assertEquals(
                    "b", recipe(registry::get, "key", ofSeconds(10), () -> "b").value());
            assertTrue(held.hasValue());
        }

        @Test
        @Tag("F-035")
        @Tag("A-034")
        void anotherLock_changesTheFactoryOnly() throws Exception {
            MapLockProvider locks = new MapLockProvider();
            NameRegistry<Dogpile<String>> here = NameRegistry.of(this::plain);
            NameRegistry<Dogpile<String>> everywhere = NameRegistry.of(key -> UsageGuideTest.this
                    .<String>hourly()
                    .lock(locks, key, ofSeconds(5))
                    .build());
            for (Function<String, Dogpile<String>> registry :
                    List.<Function<String, Dogpile<String>>>of(here::get, everywhere::get)) {
                cache.clear();
                creations.set(0);
                Held<String> creator = new Held<>("a");
                var elected = crew.start(() -> recipe(registry, "key", HOUR, creator));
                creator.awaitBegun();
                var waits = crew.start(3, () -> recipe(registry, "key", HOUR, creator));
                time.awaitParked(3);
                creator.letGo();
                assertEquals("a", Crew.result(elected).value());
                for (Acquired<String> waited : Crew.results(waits)) {
                    assertEquals("a", waited.value());
                }
                assertEquals(1, creations.get());
            }
            assertEquals("key", locks.asked().get(0).name());
        }

        @Test
        @Tag("A-034")
        void aLockObject_mayBeNewOnEachCall_orShared() throws Exception {
            MapLockProvider locks = new MapLockProvider();
            Supplier<DogpileLock<String>> factory = () -> DogpileLock.<String>builder()
                    .staleAfter(HOUR)
                    .clock(time)
                    .lock(locks, ofSeconds(5))
                    .build();
            DogpileLock<String> shared = factory.get();
            for (Supplier<DogpileLock<String>> each : List.of(() -> shared, factory)) {
                cache.clear();
                Held<Stamped<String>> creator = Held.then(() -> {
                    Stamped<String> stamped = new Stamped<>("a", time.instant());
                    cache.put("key", stamped);
                    return stamped;
                });
                var elected = crew.start(() -> acquire(each.get(), creator));
                creator.awaitBegun();
                var waits = crew.start(5, () -> acquire(each.get(), creator));
                time.awaitParked(5);
                creator.letGo();
                assertEquals("a", Crew.result(elected));
                time.advance(ofSeconds(1));
                assertEquals(Collections.nCopies(5, "a"), Crew.results(waits));
                assertEquals(1, creator.calls());
            }
        }

        private String acquire(DogpileLock<String> lock, Creator<Stamped<String>> creator) {
            return lock.acquireStamped("key", creator, () -> Optional.ofNullable(cache.get("key")))
                    .value();
        }
    }

    private static void run(Creator<?> creator) {
        try {
            creator.create();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Throwable failureOf(Future<?> task) {
        return assertThrows(ExecutionException.class, () -> Crew.result(task)).getCause();
    }
}
