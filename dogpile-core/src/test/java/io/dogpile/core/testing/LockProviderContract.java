package io.dogpile.core.testing;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What every {@link LockProvider} holds. A provider's test extends this class and says two things: which provider, and
 * what kind of leases it grants.
 *
 * <pre>{@code
 * class MyLockProviderTest extends LockProviderContract {
 *     protected LockProvider provider() { return new MyLockProvider(server); }
 *     protected Set<Trait> traits() { return Set.of(Trait.EXPIRES, Trait.NUMBERED); }
 * }
 * }</pre>
 *
 * <p>No claim is skipped for want of a trait: each then claims the opposite. A provider without {@link Trait#NUMBERED},
 * say, must answer 0 for every token. Names are new in each test, so that suites may share a server. The tags are rows of
 * the conformance list; DESIGN.md tells how to read them.
 */
public abstract class LockProviderContract {
    /** What kind of leases a provider grants. */
    public enum Trait {
        /** A lease that nobody extends ends with its time. */
        EXPIRES,
        /** Lease times are rounded up to whole seconds. */
        WHOLE_SECONDS,
        /** A lease ends with the process that holds it, however that ends. */
        WITH_THE_PROCESS,
        /** Grants of one name are numbered, ever higher. */
        NUMBERED
    }

    /** Longer than any test takes, so that no lease of this length ends by itself. */
    protected static final Duration LONG_LEASE = Duration.ofMinutes(5);

    /** What never waits answers within this time on the slowest of machines; far below {@link #LONG_LEASE}. */
    private static final long AT_ONCE_SECONDS = 30;

    private static final Duration SHORT_LEASE = Duration.ofSeconds(1);
    private static final Duration BRIEF_LEASE = Duration.ofMillis(100);
    private static final int CONTENDERS = 8;
    private static final int GRANTS_EACH = 25;

    private final List<Lease> granted = new ArrayList<>();
    private final String prefix = "contract-" + UUID.randomUUID() + "-";
    private LockProvider provider;
    private LockProvider other;
    private ExecutorService threads;

    /**
     * The provider to be tested.
     *
     * @return a provider; asked once for each test
     */
    protected abstract LockProvider provider();

    /**
     * What kind of leases it grants.
     *
     * @return its traits
     */
    protected abstract Set<Trait> traits();

    /**
     * A second provider that grants the same locks, as another client of the same server would.
     *
     * @param first what {@link #provider()} gave for this test
     * @return by default the first one
     */
    protected LockProvider anotherClient(LockProvider first) {
        return first;
    }

    /**
     * Lets a lease of that time end. Waits, unless a provider with a clock of its own overrides it: the clock of a real
     * server cannot be turned.
     *
     * @param leaseTime the time after which the lease must have ended
     */
    protected void letExpire(Duration leaseTime) {
        Duration rounded = has(Trait.WHOLE_SECONDS)
                ? Duration.ofSeconds(leaseTime.plusNanos(999_999_999).toSeconds() + 1)
                : leaseTime;
        long until = System.nanoTime() + rounded.plusMillis(100).toNanos();
        for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /**
     * For how long a name that is free again may be granted to nobody, though many ask.
     *
     * @return by default 30 seconds
     */
    protected Duration patience() {
        return Duration.ofSeconds(AT_ONCE_SECONDS);
    }

    /**
     * Closes what this test made, such as a connection. Called when the suite is done with it; an {@code @AfterEach} of a
     * subclass is called too early.
     *
     * @throws Exception if that fails, and with it the test
     */
    protected void closeStore() throws Exception {}

    @BeforeEach
    void open() {
        provider = provider();
        other = anotherClient(provider);
        threads = Executors.newCachedThreadPool();
    }

    @AfterEach
    void giveBack() throws Exception {
        threads.shutdownNow();
        try {
            granted.forEach(Lease::close);
        } finally {
            closeStore();
        }
    }

    @Test
    void aHolderThatDies_doesNotKeepItsNameForEver() {
        assertTrue(
                has(Trait.EXPIRES) || has(Trait.WITH_THE_PROCESS),
                "a lease must end by time or with its process, else a holder that dies keeps the name");
        assertTrue(has(Trait.EXPIRES) || !has(Trait.WHOLE_SECONDS), "WHOLE_SECONDS speaks of leases that expire");
    }

    @Test
    @Tag("D-013")
    void firstAcquire_isGranted() {
        assertNotNull(acquire("foo"));
    }

    @Test
    @Tag("D-013")
    @Tag("A-011")
    void secondAcquire_isRefused() {
        acquire("foo");
        assertRefused(provider, "foo");
        assertRefused(other, "foo");
    }

    @Test
    @Tag("D-015")
    void secondAcquire_fromAnotherThread_isRefused() throws Exception {
        acquire("foo");
        onAnotherThread(() -> {
            assertRefused(other, "foo");
            return null;
        });
    }

    @Test
    @Tag("A-008")
    @Tag("A-011")
    void acquireOfAHeldName_neverWaits() throws Exception {
        acquire("foo");
        Future<Boolean> answer =
                threads.submit(() -> other.tryAcquire(name("foo"), LONG_LEASE).isEmpty());
        assertTrue(answer.get(AT_ONCE_SECONDS, SECONDS));
    }

    @Test
    @Tag("D-013")
    void close_freesTheName() {
        acquire("foo").close();
        acquire("foo");
        assertRefused(other, "foo");
    }

    @Test
    @Tag("A-030")
    void close_twice_isHarmless() {
        Lease first = acquire("foo");
        first.close();
        first.close();
        Lease second = acquire("foo");
        first.close();
        assertRefused(provider, "foo");
        assertTrue(second.extend(LONG_LEASE));
    }

    @Test
    @Tag("A-031")
    @Tag("E-014")
    void close_fromAnotherThread() throws Exception {
        Lease lease = acquire("foo");
        onAnotherThread(() -> {
            lease.close();
            return null;
        });
        acquire("foo");
    }

    @Test
    @Tag("A-030")
    @Tag("D-067")
    @Tag("D-083")
    void lateRelease_doesNotFreeAnotherHoldersLease() {
        Lease late = lostLease("foo");
        Lease holder = acquire(other, "foo", LONG_LEASE);
        late.close();
        assertRefused(provider, "foo");
        assertTrue(holder.extend(LONG_LEASE));
    }

    @Test
    @Tag("D-067")
    @Tag("D-083")
    void lateExtend_isRefused_andDoesNotTouchAnotherHoldersLease() {
        Lease late = lostLease("foo");
        Lease holder = acquire(other, "foo", LONG_LEASE);
        assertFalse(late.extend(SHORT_LEASE));
        if (has(Trait.EXPIRES)) {
            letExpire(SHORT_LEASE);
        }
        assertRefused(provider, "foo");
        assertTrue(holder.extend(LONG_LEASE));
    }

    @Test
    @Tag("D-079")
    void extend_whileHeld_isTrue() {
        Lease lease = acquire("foo", SHORT_LEASE);
        assertTrue(lease.extend(LONG_LEASE));
        if (has(Trait.EXPIRES)) {
            letExpire(SHORT_LEASE);
        }
        assertRefused(other, "foo");
        assertTrue(lease.extend(LONG_LEASE));
    }

    @Test
    @Tag("D-079")
    void extend_fromAnotherThread_isTrue() throws Exception {
        Lease lease = acquire("foo");
        assertTrue(onAnotherThread(() -> lease.extend(LONG_LEASE)));
    }

    @Test
    void extend_afterLoss_isFalse() {
        assertFalse(lostLease("foo").extend(LONG_LEASE));
        acquire("foo");
    }

    @Test
    void extend_afterClose_isFalse() {
        Lease lease = acquire("foo");
        lease.close();
        assertFalse(lease.extend(LONG_LEASE));
        acquire("foo");
    }

    @Test
    @Tag("A-032")
    @Tag("D-066")
    @Tag("D-078")
    void lease_endsWithItsTime_whereLeasesExpire() {
        Lease lease = acquire("foo", SHORT_LEASE);
        if (has(Trait.EXPIRES)) {
            letExpire(SHORT_LEASE);
            acquire("foo");
        } else {
            assertRefused(other, "foo");
            assertTrue(lease.extend(LONG_LEASE));
        }
    }

    @Test
    @Tag("D-079")
    void closedLease_isNotKeptAlive() {
        Lease closed = acquire("foo", BRIEF_LEASE);
        assertTrue(closed.extend(BRIEF_LEASE));
        closed.close();
        letExpire(BRIEF_LEASE); // for a provider that extends by itself
        Lease next = acquire("foo");
        assertRefused(other, "foo");
        assertTrue(next.extend(LONG_LEASE));
    }

    @Test
    @Tag("D-066")
    void subSecondLease_stillExpires() {
        Duration subSecond = Duration.ofMillis(900);
        acquire("foo", subSecond);
        if (has(Trait.EXPIRES)) {
            letExpire(subSecond);
            acquire("foo");
        } else {
            assertRefused(other, "foo");
        }
    }

    @Test
    @Tag("D-066")
    void leaseOfANanosecond_isALease() {
        Duration shortest = Duration.ofNanos(1);
        acquire("foo", shortest);
        if (has(Trait.EXPIRES)) {
            letExpire(shortest);
            acquire("foo");
        } else {
            assertRefused(other, "foo");
        }
    }

    @Test
    void nonPositiveLease_isRefused() {
        for (Duration refused : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofDays(-1))) {
            assertThrows(IllegalArgumentException.class, () -> provider.tryAcquire(name("foo"), refused));
        }
        Lease lease = acquire("foo");
        for (Duration refused : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofDays(-1))) {
            assertThrows(IllegalArgumentException.class, () -> lease.extend(refused));
        }
        assertTrue(lease.extend(LONG_LEASE));
    }

    @Test
    void tokens_growWithEachGrant() {
        long last = 0;
        for (int grant = 0; grant < 5; grant++) {
            Lease lease = acquire(grant % 2 == 0 ? provider : other, "foo", LONG_LEASE);
            last = checkedToken(lease, last);
            assertEquals(lease.fencingToken(), lease.fencingToken());
            lease.close();
        }
        Lease lost = lostLease("foo");
        last = checkedToken(lost, last);
        checkedToken(acquire(other, "foo", LONG_LEASE), last);
    }

    @Test
    void twoNames_doNotTouchEachOther() {
        Lease foo = acquire("foo");
        Lease bar = acquire("bar");
        foo.close();
        assertRefused(other, "bar");
        assertTrue(bar.extend(LONG_LEASE));
        acquire("foo");
    }

    @Test
    void likeNames_areDifferentLocks() {
        List<String> alike =
                List.of("foo", "Foo", "foo ", " foo", "foo/", "foo\n", "fo", "fooo", "foo.lock", "foo:foo");
        alike.forEach(this::acquire);
        alike.forEach(name -> assertRefused(other, name));
    }

    @Test
    void oddNames_areNames() {
        String long300 = "x".repeat(300);
        List<String> odd = List.of(
                "with some spaces",
                "\u5217\u5341\u00e9\u0436\ud83d\udc36",
                long300,
                long300 + "y",
                "a/b/../c",
                "..",
                "back\\slash",
                "line\nbreak\r\n",
                "tab\tand\u0000nul",
                "{brace}*?[x]",
                "%s%n");
        List<Lease> leases = new ArrayList<>();
        odd.forEach(name -> leases.add(acquire(name)));
        odd.forEach(name -> assertRefused(other, name));
        leases.forEach(Lease::close);
        odd.forEach(this::acquire);
    }

    @Test
    @Tag("A-033")
    @Tag("B-017")
    void heldName_staysHeld_thoughOnlyItsLeaseIsKept() {
        Lease lease = acquire(new String("foo".toCharArray()), LONG_LEASE);
        for (int collection = 0; collection < 5; collection++) {
            System.gc();
            assertRefused(other, "foo");
        }
        assertTrue(lease.extend(LONG_LEASE));
    }

    @Test
    @Tag("D-015")
    @Tag("D-065")
    @Tag("D-077")
    @Tag("F-037")
    void manyThreads_neverTwoInside() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger mostInside = new AtomicInteger();
        int[] count = new int[1]; // kept by the lock alone
        ConcurrentLinkedQueue<Long> tokens = new ConcurrentLinkedQueue<>();
        AtomicLong lastGrantAt = new AtomicLong(System.nanoTime());
        CyclicBarrier start = new CyclicBarrier(CONTENDERS);
        List<Future<?>> contenders = new ArrayList<>();
        for (int contender = 0; contender < CONTENDERS; contender++) {
            LockProvider client = contender % 2 == 0 ? provider : other;
            contenders.add(threads.submit(() -> {
                start.await();
                for (int grant = 0; grant < GRANTS_EACH; ) {
                    Optional<Lease> lease = client.tryAcquire(name("foo"), LONG_LEASE);
                    if (lease.isEmpty()) {
                        long idle = System.nanoTime() - lastGrantAt.get();
                        assertTrue(idle < patience().toNanos(), "a name that is free again is granted to nobody");
                        Thread.yield();
                        continue;
                    }
                    try (Lease held = lease.get()) {
                        lastGrantAt.set(System.nanoTime());
                        mostInside.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        int before = count[0];
                        Thread.yield();
                        count[0] = before + 1;
                        tokens.add(held.fencingToken());
                        inside.decrementAndGet();
                    }
                    grant++;
                }
                return null;
            }));
        }
        for (Future<?> contender : contenders) {
            contender.get();
        }
        assertEquals(1, mostInside.get());
        assertEquals(CONTENDERS * GRANTS_EACH, count[0]);
        long last = 0;
        for (long token : tokens) {
            last = checkedToken(token, last);
        }
        acquire("foo");
    }

    /** A lease that its holder has lost: by time where leases end so, else by an end that the holder forgot. */
    private Lease lostLease(String name) {
        Lease lease = acquire(name, SHORT_LEASE);
        if (has(Trait.EXPIRES)) {
            letExpire(SHORT_LEASE);
        } else {
            lease.close();
        }
        return lease;
    }

    private long checkedToken(Lease lease, long last) {
        return checkedToken(lease.fencingToken(), last);
    }

    private long checkedToken(long token, long last) {
        if (has(Trait.NUMBERED)) {
            assertTrue(token > last, () -> "token " + token + " after " + last);
        } else {
            assertEquals(0, token, "a provider that does not number its grants says 0");
        }
        return token;
    }

    private Lease acquire(String name) {
        return acquire(name, LONG_LEASE);
    }

    private Lease acquire(String name, Duration leaseTime) {
        return acquire(provider, name, leaseTime);
    }

    private Lease acquire(LockProvider from, String name, Duration leaseTime) {
        Lease lease = from.tryAcquire(name(name), leaseTime)
                .orElseThrow(() -> new AssertionError("'" + name + "' is free and was refused"));
        granted.add(lease);
        return lease;
    }

    private void assertRefused(LockProvider by, String name) {
        Optional<Lease> lease = by.tryAcquire(name(name), LONG_LEASE);
        lease.ifPresent(granted::add);
        assertTrue(lease.isEmpty(), () -> "'" + name + "' is held and was granted again");
    }

    private <T> T onAnotherThread(Callable<T> task) throws Exception {
        return threads.submit(task).get(AT_ONCE_SECONDS, SECONDS);
    }

    private boolean has(Trait trait) {
        return traits().contains(trait);
    }

    private String name(String suffix) {
        return prefix + suffix;
    }
}
