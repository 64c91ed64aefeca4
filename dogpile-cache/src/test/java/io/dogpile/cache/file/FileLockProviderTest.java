package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.LockProviderContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every lock holds, in the files of a directory. */
@Tag("F-037")
class FileLockProviderTest extends LockProviderContract {
    private static final Duration LEASE = Duration.ofSeconds(5);

    @TempDir
    Path directory;

    private final List<FileLockProvider> made = new ArrayList<>();

    @AfterEach
    void closeAll() {
        made.forEach(FileLockProvider::close);
    }

    @Override
    protected FileLockProvider provider() {
        FileLockProvider provider = FileLockProvider.in(directory);
        made.add(provider);
        return provider;
    }

    @Override
    protected LockProvider anotherClient(LockProvider first) {
        return provider();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.WITH_THE_PROCESS);
    }

    @Test
    @Tag("D-039")
    @Tag("W-26")
    void manyNames_areHeldAtOnce_inNoMoreThan64Files() throws Exception {
        FileLockProvider provider = provider();
        List<Lease> leases = new ArrayList<>();
        for (int name = 0; name < 2_000; name++) {
            leases.add(provider.tryAcquire("name " + name, LEASE).orElseThrow());
        }
        assertEquals(LockPlace.FILES, files().size());
        leases.forEach(Lease::close);
        assertEquals(LockPlace.FILES, files().size(), "they are never deleted");
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.toList();
        }
    }

    @Test
    @Tag("D-036")
    @Tag("W-27")
    void takingAndRefusing_leavesNoDescriptorOpen() {
        FileLockProvider provider = provider();
        for (int name = 0; name < LockPlace.FILES * 20; name++) {
            provider.tryAcquire("warm " + name, LEASE).orElseThrow().close();
        }
        int before = descriptors();
        for (int cycle = 0; cycle < 100_000; cycle++) {
            Lease lease = provider.tryAcquire("name", LEASE).orElseThrow();
            assertTrue(provider.tryAcquire("name", LEASE).isEmpty());
            lease.close();
        }
        assertEquals(before, descriptors());
    }

    /** How many of this process are open on the lock files. */
    private int descriptors() {
        return Descriptors.openIn(directory);
    }

    @Test
    @Tag("D-033")
    void providersOfOneDirectory_shareItsFiles_whateverThePathToIt() throws Exception {
        Path link = directory.resolveSibling(directory.getFileName() + "-link");
        Files.createSymbolicLink(link, directory);
        try (FileLockProvider first = FileLockProvider.in(directory);
                FileLockProvider second = FileLockProvider.in(link);
                Lease lease = first.tryAcquire("name", LEASE).orElseThrow()) {
            assertTrue(second.tryAcquire("name", LEASE).isEmpty());
            assertTrue(lease.extend(LEASE));
            Set<Integer> open = new HashSet<>();
            for (int name = 0; name < 1_000; name++) {
                second.tryAcquire("name " + name, LEASE).orElseThrow().close();
                first.tryAcquire("name " + name, LEASE).orElseThrow().close();
            }
            open.add(descriptors());
            assertEquals(Set.of(LockPlace.FILES), open, "each file is open once");
        } finally {
            Files.delete(link);
        }
    }

    @Test
    @Tag("D-033")
    void closingAProvider_closesNoFile_whileSomebodyUsesOneOrHoldsALock() throws Exception {
        Path own = directory.resolve("own");
        FileLockProvider first = FileLockProvider.in(own);
        FileLockProvider second = FileLockProvider.in(own);
        Lease lease = first.tryAcquire("name", LEASE).orElseThrow();
        first.close();
        assertTrue(Descriptors.openIn(own) > 0);
        second.close();
        assertTrue(Descriptors.openIn(own) > 0, "a lock is held");
        assertTrue(lease.extend(LEASE));
        try (FileLockProvider third = FileLockProvider.in(own)) {
            assertTrue(third.tryAcquire("name", LEASE).isEmpty());
            lease.close();
            third.tryAcquire("name", LEASE).orElseThrow().close();
        }
        assertEquals(0, Descriptors.openIn(own));
    }

    @Test
    void closedProvider_grantsNothing_twiceClosedToo() {
        FileLockProvider provider = FileLockProvider.in(directory);
        provider.close();
        provider.close();
        assertThrows(IllegalStateException.class, () -> provider.tryAcquire("name", LEASE));
        made.add(FileLockProvider.in(directory)); // one close too many would be seen here
        made.get(made.size() - 1).tryAcquire("name", LEASE).orElseThrow().close();
    }

    @Test
    void emptyName_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> provider().tryAcquire("", LEASE));
    }

    @Test
    void interruptedThread_takesAndGivesBack_andLosesNothing() {
        FileLockProvider provider = provider();
        Lease other = provider.tryAcquire("other", LEASE).orElseThrow();
        Thread.currentThread().interrupt();
        try {
            Lease lease = provider.tryAcquire("name", LEASE).orElseThrow();
            assertTrue(provider.tryAcquire("name", LEASE).isEmpty());
            lease.close();
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertTrue(other.extend(LEASE));
        other.close();
    }

    @Test
    @Tag("D-034")
    void fileInPlaceOfTheDirectory_isSaidWithItsPath() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        UncheckedIOException refused = assertThrows(UncheckedIOException.class, () -> FileLockProvider.in(file));
        assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
    }

    @Test
    @Tag("D-034")
    void directoryInPlaceOfALockFile_isSaidWithItsPath() throws Exception {
        Path own = directory.resolve("own");
        Files.createDirectories(own.resolve("locks-00"));
        UncheckedIOException refused = assertThrows(UncheckedIOException.class, () -> FileLockProvider.in(own));
        assertTrue(refused.getMessage().contains("locks-00"), refused.getMessage());
    }

    @Test
    void directoryMadeAnew_isLockedAnew() throws Exception {
        Path own = directory.resolve("own");
        try (FileLockProvider before = FileLockProvider.in(own);
                Lease lease = before.tryAcquire("name", LEASE).orElseThrow()) {
            for (Path file : Files.list(own).toList()) {
                Files.delete(file);
            }
            try (FileLockProvider after = FileLockProvider.in(own)) {
                assertTrue(Files.exists(own.resolve("locks-00")));
                after.tryAcquire("name", LEASE).orElseThrow().close();
            }
            assertTrue(lease.extend(LEASE));
        }
    }

    @Test
    void places_differByKindAndName_andStayWithinTheReach() {
        Set<LockPlace> places = new HashSet<>();
        Set<Integer> files = new HashSet<>();
        for (int name = 0; name < 1_000; name++) {
            for (LockPlace.Kind kind : LockPlace.Kind.values()) {
                LockPlace place = LockPlace.of(kind, "name " + name, LockPlace.Reach.LOCAL);
                assertTrue(places.add(place));
                assertTrue(place.offset() >= 0 && place.offset() < 1L << 61);
                files.add(place.file());
            }
            LockPlace narrow = LockPlace.of(LockPlace.Kind.NAME, "name " + name, LockPlace.Reach.NETWORK);
            assertTrue(narrow.offset() >= 0 && narrow.offset() < 1L << 30);
        }
        assertEquals(LockPlace.FILES, files.size());
    }
}
