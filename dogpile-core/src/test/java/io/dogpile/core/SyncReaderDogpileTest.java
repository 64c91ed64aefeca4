package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.SyncReaderDogpile.Reading;
import io.dogpile.core.SyncReaderDogpile.SyncCreator;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.StampedLock;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
@Tag("E-029")
class SyncReaderDogpileTest {
    enum Over {
        OUR_OWN_LOCK,
        A_LOCK_OF_THE_CALLERS
    }

    private static final Duration LIFE = Duration.ofHours(1);
    private static final Duration TICK = Duration.ofNanos(1);
    private static final long SHORT_MILLIS = 30;

    @Parameter
    Over over;

    private final FakeTime time = new FakeTime();
    private final AtomicInteger versions = new AtomicInteger();
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    private SyncReaderDogpile<String> file(Dogpile<String> dogpile) {
        return over == Over.OUR_OWN_LOCK
                ? SyncReaderDogpile.over(dogpile)
                : SyncReaderDogpile.over(dogpile, new StampedLock().asReadWriteLock());
    }

    private SyncReaderDogpile<String> file() {
        return file(dogpile().build());
    }

    private Dogpile.Builder<String> dogpile() {
        return Dogpile.<String>builder().staleAfter(LIFE).options(o -> o.clock(time));
    }

    private String next() {
        return "v" + versions.incrementAndGet();
    }

    private String read(SyncReaderDogpile<String> file) {
        try (Reading<String> reading = file.acquire(sync -> next())) {
            return reading.value();
        }
    }

    @Test
    @Tag("F-001")
    @Tag("B-038")
    void firstUse_createsBeforeTheReading_andMayWrite() {
        SyncReaderDogpile<String> file = file();

        try (Reading<String> reading = file.acquire(sync -> {
            log.add("create");
            return sync.write(() -> {
                log.add("write");
                return next();
            });
        })) {
            log.add("read " + reading.value());
            assertEquals(time.instant(), reading.createdAt());
        }

        assertEquals(List.of("create", "write", "read v1"), log);
    }

    @Test
    void freshValue_isReadAgainWithoutCreating_andAStaleOneIsCreatedOnce() {
        SyncReaderDogpile<String> file = file();
        assertEquals("v1", read(file));
        time.advance(LIFE);
        assertEquals("v1", read(file));
        time.advance(TICK);
        assertEquals("v2", read(file));
        assertEquals(2, versions.get());
        assertTrue(file.dogpile().hasValue());
    }

    @Test
    @Tag("B-037")
    @Tag("F-018")
    void aBlockThatThrows_orReturnsEarly_leavesTheReadingClosed() throws Exception {
        SyncReaderDogpile<String> file = file();
        assertThrows(ArithmeticException.class, () -> {
            try (Reading<String> reading = file.acquire(sync -> next())) {
                throw new ArithmeticException(reading.value());
            }
        });
        assertEquals("v1", read(file));

        assertEquals("written", file.write(() -> "written"), "no reading is left open");
    }

    @Test
    @Tag("B-039")
    @Tag("F-044")
    @Tag("F-045")
    void writingInTheCreator_waitsForTheReadings_andKeepsNewOnesOut() throws Exception {
        SyncReaderDogpile<String> file = file();
        Reading<String> reading = file.acquire(sync -> next());
        time.advance(LIFE.plus(TICK));
        Background<Void> creator = Background.run(() -> file.acquire(sync -> {
                    log.add("prepared");
                    String made = sync.write(() -> {
                        log.add("written");
                        return next();
                    });
                    return made;
                })
                .close());
        creator.parked();
        Background<String> late = Background.start(() -> {
            String value = read(file);
            log.add("late reader");
            return value;
        });
        late.parked();
        assertEquals(List.of("prepared"), log);

        log.add("reader done");
        reading.close();
        creator.result();
        assertEquals("v2", late.result());
        assertEquals(List.of("prepared", "reader done", "written", "late reader"), log);
    }

    @Test
    @Tag("B-040")
    @Tag("F-043")
    void whileTheCreatorPrepares_readersGoOnWithTheCurrentVersion() throws Exception {
        SyncReaderDogpile<String> file = file();
        read(file);
        time.advance(LIFE.plus(TICK));
        Held<String> held = new Held<>("prepared");
        Background<Void> creator = Background.run(() -> file.acquire(sync -> {
                    held.create();
                    return sync.write(this::next);
                })
                .close());
        held.awaitBegun();

        for (int use = 0; use < 5; use++) {
            assertEquals("v1", read(file));
        }
        held.letGo();
        creator.result();
        assertEquals("v2", read(file));
    }

    @Test
    @Tag("B-041")
    void aWriteThatThrows_letsReadersIn_andTheNextUseCreates() {
        SyncReaderDogpile<String> file = file();
        assertThrows(
                ArithmeticException.class,
                () -> file.acquire(sync -> sync.write(() -> {
                    throw new ArithmeticException();
                })));

        assertEquals("v1", read(file));
    }

    @Test
    @Tag("B-042")
    void noReaderEverSeesTheHalfReplacedResource() throws Exception {
        SyncReaderDogpile<String> file = file(Dogpile.<String>builder()
                .staleAfter(Duration.ZERO)
                .options(o -> o.clock(TimeSource.system()))
                .build());
        AtomicReference<String> left = new AtomicReference<>("0");
        AtomicReference<String> right = new AtomicReference<>("0");
        SyncCreator<String> swaps = sync -> {
            String version = next();
            return sync.write(() -> {
                left.set(version);
                Thread.onSpinWait();
                right.set(version);
                return version;
            });
        };
        List<Background<Void>> readers = new ArrayList<>();
        for (int reader = 0; reader < 4; reader++) {
            readers.add(Background.run(() -> {
                for (int use = 0; use < 2_000; use++) {
                    try (Reading<String> reading = file.acquire(swaps)) {
                        assertEquals(left.get(), right.get());
                        assertEquals(left.get(), reading.value(), "the value is that of the resource");
                    }
                }
            }));
        }
        for (Background<Void> reader : readers) {
            reader.result();
        }
        assertTrue(versions.get() > 1);
    }

    @Test
    @Tag("B-043")
    void whoWaitedForAWriter_readsWhatItWrote() throws Exception {
        SyncReaderDogpile<String> file = file();
        read(file);
        time.advance(LIFE.plus(TICK));
        Held<String> writing = new Held<>("v2");
        Background<Void> creator = Background.run(
                () -> file.acquire(sync -> sync.write(writing::create)).close());
        writing.awaitBegun();
        Background<String> reader = Background.start(() -> read(file));
        reader.parked();

        writing.letGo();
        creator.result();
        assertEquals("v2", reader.result());
        assertEquals(1, versions.get());
    }

    @Test
    @Tag("B-043")
    void stampedValue_isReadWithTheReadingOpen() throws Exception {
        SyncReaderDogpile<String> file = file();
        AtomicReference<Stamped<String>> stored = new AtomicReference<>(new Stamped<>("v1", time.instant()));
        Held<String> writing = new Held<>("v2");
        Background<Object> writer = Background.start(() -> file.write(() -> {
            writing.create();
            stored.set(new Stamped<>("v2", time.instant()));
            return "";
        }));
        writing.awaitBegun();
        Background<String> reader = Background.start(() -> {
            try (Reading<String> reading = file.acquireStamped(
                    sync -> new Stamped<>(next(), time.instant()), () -> Optional.ofNullable(stored.get()))) {
                return reading.value();
            }
        });
        reader.parked();

        writing.letGo();
        writer.result();
        assertEquals("v2", reader.result(), "the value that was read before the wait is one behind");
        assertEquals(0, versions.get());
    }

    @Test
    void stampedValue_thatIsNotAvailable_isCreated_andAGetterThatFailsLeavesNoReadingOpen() throws Exception {
        SyncReaderDogpile<String> file = file();
        AtomicReference<Stamped<String>> stored = new AtomicReference<>();
        SyncCreator<Stamped<String>> creator = sync -> sync.write(() -> {
            stored.set(new Stamped<>(next(), time.instant()));
            return stored.get();
        });
        try (Reading<String> reading = file.acquireStamped(creator, () -> Optional.ofNullable(stored.get()))) {
            assertEquals("v1", reading.value());
        }
        try (Reading<String> reading = file.acquireStamped(creator, Optional::empty)) {
            assertEquals("v2", reading.value(), "a store that drops everything still leads to a value");
        }
        AtomicInteger reads = new AtomicInteger();
        assertThrows(
                DogpileException.class,
                () -> file.acquireStamped(creator, () -> {
                    if (reads.incrementAndGet() == 2) {
                        throw new java.io.IOException("gone");
                    }
                    return Optional.of(stored.get());
                }));
        assertEquals("written", file.write(() -> "written"));
    }

    @Test
    void aReading_mayBeClosedOnAnotherThread() throws Exception {
        SyncReaderDogpile<String> file = file();
        Reading<String> reading = file.acquire(sync -> next());
        Background<String> writer = Background.start(() -> file.write(() -> "written"));
        writer.parked();
        Background.run(reading::close).result();

        assertEquals("written", writer.result());
        assertEquals("v1", read(file));
    }

    @Test
    void closingTwice_isRefused_andChangesNothing() throws Exception {
        SyncReaderDogpile<String> file = file();
        Reading<String> reading = file.acquire(sync -> next());
        reading.close();
        assertThrows(IllegalStateException.class, reading::close);

        Reading<String> other = file.acquire(sync -> next());
        Background<String> writer = Background.start(() -> file.write(() -> "written"));
        writer.parked();
        other.close();
        assertEquals("written", writer.result());
    }

    @Test
    @Tag("B-044")
    @Tag("B-035")
    void aSecondReading_orAWrite_insideOnesOwn_isRefusedAtOnce() throws Exception {
        SyncReaderDogpile<String> file = file();
        try (Reading<String> reading = file.acquire(sync -> next())) {
            assertThrows(IllegalStateException.class, () -> file.acquire(sync -> next()));
            IllegalStateException upgrade =
                    assertThrows(IllegalStateException.class, () -> file.write(() -> "upgrade"));
            assertTrue(upgrade.getMessage().contains("read"), upgrade.getMessage());
            assertEquals("v1", reading.value());
        }
        file.write(() -> {
            assertThrows(IllegalStateException.class, () -> file.write(() -> "again"));
            assertThrows(IllegalStateException.class, () -> file.acquire(sync -> next()));
            return "";
        });
        assertEquals("v1", read(file), "what was refused left nothing behind");
    }

    @Test
    void aReadingThatWasHandedOver_isNoLongerOnesOwn() throws Exception {
        SyncReaderDogpile<String> file = file();
        Reading<String> given = file.acquire(sync -> next()).handOver();
        assertEquals("v1", read(file));
        Background.run(given::close).result();
        assertThrows(IllegalStateException.class, given::handOver);
        assertEquals("written", file.write(() -> "written"));
    }

    @Test
    @Tag("B-033")
    void aWriterThatGivesUp_changesNothing_andLetsReadersIn() throws Exception {
        SyncReaderDogpile<String> file = file(dogpile()
                .options(o -> o.hardTimeout(Duration.ofMillis(SHORT_MILLIS)))
                .build());
        Reading<String> reading = file.acquire(sync -> next());
        Background<Object> writer = Background.start(() -> file.write(() -> log.add("written")));

        assertInstanceOf(HardTimeoutException.class, writer.failure());
        assertEquals(List.of(), log);
        assertEquals("v1", Background.start(() -> read(file)).result());
        reading.close();
        assertEquals("written", file.write(() -> "written"));
    }

    @Test
    @Tag("B-034")
    void aReaderThatGivesUp_orIsInterrupted_leavesTheLockAsItWas() throws Exception {
        SyncReaderDogpile<String> file = file(dogpile()
                .options(o -> o.hardTimeout(Duration.ofMillis(SHORT_MILLIS)))
                .build());
        SyncReaderDogpile<String> patient = file();
        read(file);
        read(patient);
        file.write(() -> {
            assertInstanceOf(
                    HardTimeoutException.class,
                    Background.start(() -> read(file)).failure());
            return "";
        });
        patient.write(() -> {
            Background<Boolean> reader = Background.start(() -> {
                assertThrows(DogpileException.class, () -> read(patient));
                return Thread.currentThread().isInterrupted();
            });
            reader.parked();
            reader.thread.interrupt();
            assertTrue(reader.result(), "the flag is restored");
            return "";
        });
        assertEquals("written", file.write(() -> "written"));
        assertEquals("written", patient.write(() -> "written"));
    }

    @Test
    void invalidatedWhileAWriterIsIn_isCreatedAnew_neverAnsweredWithNothing() throws Exception {
        SyncReaderDogpile<String> file = file();
        read(file);
        Background<String> reader = file.write(() -> {
            Background<String> started = Background.start(() -> read(file));
            started.parked();
            file.dogpile().invalidate();
            return started;
        });

        assertEquals("v2", reader.result());
    }

    @Test
    @Tag("B-046")
    @Tag("F-046")
    void theGuidesExample_runsAsPrinted() {
        SyncReaderDogpile<String> file = over == Over.OUR_OWN_LOCK
                ? SyncReaderDogpile.of(LIFE)
                : SyncReaderDogpile.of(LIFE, new StampedLock().asReadWriteLock());
        AtomicReference<String> disk = new AtomicReference<>();
        try (var reading = file.acquire(sync -> {
            String prepared = next();
            return sync.write(() -> {
                disk.set(prepared);
                return prepared;
            });
        })) {
            assertSame(reading.value(), disk.get());
        }
    }

    @Test
    void theOwnCreator_mayNotReadItsOwnDogpile() {
        SyncReaderDogpile<String> file = file();
        assertThrows(IllegalStateException.class, () -> file.acquire(sync -> read(file)));
        assertFalse(file.dogpile().hasValue());
        assertEquals("v1", read(file));
    }

    @Test
    @Tag("F-002")
    @Tag("F-003")
    void callersOfTheFirstPeriod_waitForTheFirstVersion() throws Exception {
        SyncReaderDogpile<String> file = file();
        CountDownLatch go = new CountDownLatch(1);
        List<Background<String>> callers = new ArrayList<>();
        for (int caller = 0; caller < 10; caller++) {
            callers.add(Background.start(() -> {
                try (Reading<String> reading = file.acquire(sync -> {
                    assertTrue(go.await(20, TimeUnit.SECONDS));
                    return next();
                })) {
                    return reading.value();
                }
            }));
        }
        time.awaitParked(9);
        go.countDown();
        for (Background<String> caller : callers) {
            assertEquals("v1", caller.result());
        }
        assertEquals(1, versions.get());
    }

    @Test
    void withRefreshOn_theCreatorWritesFromTheExecutor_andWaitsForTheReadings() throws Exception {
        ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
        try {
            SyncReaderDogpile<String> file = file(dogpile().refreshOn(executor).build());
            Reading<String> reading = file.acquire(sync -> next());
            time.advance(LIFE.plus(TICK));
            CountDownLatch asksToWrite = new CountDownLatch(1);
            Background<String> other = Background.start(() -> {
                try (Reading<String> second = file.acquire(sync -> {
                    asksToWrite.countDown();
                    return sync.write(this::next);
                })) {
                    return second.value();
                }
            });
            assertTrue(asksToWrite.await(20, TimeUnit.SECONDS));
            assertEquals(1, versions.get(), "it waits for the reading");
            reading.close();
            other.result();
            Background.eventually("the new version is in place", () -> "v2".equals(read(file)));
        } finally {
            executor.shutdown();
            assertTrue(executor.awaitTermination(20, TimeUnit.SECONDS));
        }
    }

    @Test
    @Tag("B-016")
    void aReading_keepsItsDogpileInARegistry() {
        NameRegistry<SyncReaderDogpile<String>> files = NameRegistry.of(name -> file());
        Reading<String> reading = files.get("a").acquire(sync -> next());
        for (int collection = 0; collection < 3; collection++) {
            System.gc();
        }
        assertThrows(IllegalStateException.class, () -> files.get("a").write(() -> "with another lock"));
        reading.close();
    }

    @Test
    void twoWritesOfOneCreator_areOneToTheReaders_andOneInsideAnotherIsRefused() {
        SyncReaderDogpile<String> file = file();
        try (Reading<String> reading = file.acquire(sync -> {
            sync.write(() -> log.add("first"));
            sync.write(() -> log.add("second"));
            return sync.write(() -> {
                assertThrows(IllegalStateException.class, () -> sync.write(() -> log.add("inside")));
                return next();
            });
        })) {
            assertEquals("v1", reading.value());
        }
        assertEquals(List.of("first", "second"), log);
    }
}
