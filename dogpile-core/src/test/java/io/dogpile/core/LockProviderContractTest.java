package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder.request;

import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.LockProviderContract;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** The contract bites: providers that are broken in one way each fail it, and one that is not passes. */
class LockProviderContractTest {
    private static final int CLAIMS = 20;

    @Test
    void soundProvider_passes() {
        assertEquals(Set.of(), broken(Sound.class));
    }

    @Test
    void soundProvider_ofWholeSecondsWithoutNumbers_passes() {
        assertEquals(Set.of(), broken(SoundInWholeSeconds.class));
    }

    @Test
    void soundProvider_thatKeepsItsLeasesAlive_passes() {
        assertEquals(Set.of(), broken(KeepsAlive.class));
    }

    @Test
    void releaseWithoutOwnerCheck_isCaught_byWhatIsSaidOfLateReleasesAlone() {
        assertEquals(
                Set.of("lateRelease_doesNotFreeAnotherHoldersLease", "close_twice_isHarmless"),
                broken(ReleasesAnybodys.class));
    }

    @Test
    void renewalThatIsNotCancelled_isCaught_byWhatIsSaidOfClosedLeasesAlone() {
        assertEquals(Set.of("closedLease_isNotKeptAlive"), broken(KeepsAliveForEver.class));
    }

    @Test
    void extendWithoutOwnerCheck_isCaught() {
        assertCaught(
                ExtendsAnybodys.class,
                "lateExtend_isRefused_andDoesNotTouchAnotherHoldersLease",
                "extend_afterClose_isFalse",
                "extend_afterLoss_isFalse");
    }

    @Test
    void tokenThatDoesNotGrow_isCaught() {
        assertCaught(SameToken.class, "tokens_growWithEachGrant", "manyThreads_neverTwoInside");
    }

    @Test
    void tokenWhereNoneIsClaimed_isCaught() {
        assertCaught(ClaimsNoNumbers.class, "tokens_growWithEachGrant");
    }

    @Test
    void providerThatDoesNotExclude_isCaught() {
        assertCaught(
                GrantsAll.class,
                "secondAcquire_isRefused",
                "secondAcquire_fromAnotherThread_isRefused",
                "acquireOfAHeldName_neverWaits",
                "manyThreads_neverTwoInside");
    }

    @Test
    void checkThenAct_isCaught() {
        assertCaught(ChecksThenActs.class, "manyThreads_neverTwoInside");
    }

    @Test
    void leaseTimeCutToWholeSeconds_isCaught() {
        assertCaught(CutsToSeconds.class, "subSecondLease_stillExpires", "leaseOfANanosecond_isALease");
    }

    @Test
    void leaseThatNeverEnds_isCaught() {
        assertCaught(NeverEnds.class, "lease_endsWithItsTime_whereLeasesExpire", "subSecondLease_stillExpires");
    }

    @Test
    void extendThatDoesNothing_isCaught() {
        assertCaught(ExtendsNothing.class, "extend_whileHeld_isTrue");
    }

    @Test
    void leaseBoundToItsThread_isCaught() {
        assertCaught(BoundToItsThread.class, "close_fromAnotherThread", "secondAcquire_isRefused");
    }

    @Test
    void oneLockForAllNames_isCaught() {
        assertCaught(OneForAll.class, "twoNames_doNotTouchEachOther", "likeNames_areDifferentLocks");
    }

    @Test
    void namesThatAreCutOrFolded_areCaught() {
        assertCaught(FoldsNames.class, "likeNames_areDifferentLocks", "oddNames_areNames");
    }

    @Test
    void leaseTimeThatIsNotChecked_isCaught() {
        assertCaught(ChecksNoTime.class, "nonPositiveLease_isRefused");
    }

    @Test
    void closeThatFreesNothing_isCaught() {
        assertCaught(FreesNothing.class, "close_freesTheName", "close_fromAnotherThread");
    }

    @Test
    void leaseThatKeepsItsNameOnlyWeakly_isCaught() {
        assertCaught(KeptWeakly.class, "heldName_staysHeld_thoughOnlyItsLeaseIsKept");
    }

    @Test
    void secondReleaseThatAddsAPermit_isCaught() {
        assertCaught(Permits.class, "close_twice_isHarmless", "lateRelease_doesNotFreeAnotherHoldersLease");
    }

    @Test
    void leaseThatEndsByNothing_isCaught() {
        assertCaught(EndsByNothing.class, "aHolderThatDies_doesNotKeepItsNameForEver");
    }

    private static void assertCaught(Class<? extends LockProviderContract> suite, String... claims) {
        Set<String> broken = broken(suite);
        assertTrue(broken.containsAll(Set.of(claims)), () -> "only these were seen to be broken: " + broken);
    }

    /** The claims of the contract that the provider of this suite breaks. */
    private static Set<String> broken(Class<? extends LockProviderContract> suite) {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request().selectors(selectClass(suite)).build(), listener);
        var summary = listener.getSummary();
        assertTrue(summary.getTestsFoundCount() >= CLAIMS, () -> summary.getTestsFoundCount() + " claims were found");
        assertEquals(0, summary.getTestsSkippedCount() + summary.getTestsAbortedCount());
        Set<String> broken = new TreeSet<>();
        summary.getFailures()
                .forEach(failure -> broken.add(failure.getTestIdentifier()
                        .getSource()
                        .map(source -> ((MethodSource) source).getMethodName())
                        .orElse("?")));
        return broken;
    }

    /** Where two contenders meet, once, so that what only a race would show is always seen. The test's thread passes. */
    private static final class Meeting {
        private static final long A_CONTENDER_COMES_SECONDS = 30;

        private final Thread test = Thread.currentThread();
        private final CountDownLatch arrived = new CountDownLatch(2);

        void await() {
            if (Thread.currentThread() == test) {
                return;
            }
            arrived.countDown();
            try {
                assertTrue(arrived.await(A_CONTENDER_COMES_SECONDS, TimeUnit.SECONDS), "no second contender came");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }
    }

    /** A provider with a clock of its own, sound unless a subclass breaks one of its steps. */
    private static class InMemory implements LockProvider {
        final FakeTime time = new FakeTime();
        final AtomicLong numbers = new AtomicLong();
        private final Map<String, Held> held = new HashMap<>();

        record Held(long token, long until) {}

        @Override
        public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
            checkTime(leaseTime);
            String key = key(name);
            long token;
            synchronized (held) {
                if (isHeld(key)) {
                    return Optional.empty();
                }
                token = numbers.incrementAndGet();
                hold(key, token, leaseTime);
            }
            return Optional.of(lease(key, token));
        }

        final void hold(String key, long token, Duration leaseTime) {
            synchronized (held) {
                held.put(key, new Held(token, time.nanos() + life(leaseTime)));
            }
        }

        final boolean isHeld(String key) {
            synchronized (held) {
                Held holder = held.get(key);
                return holder != null && holder.until > time.nanos();
            }
        }

        Lease lease(String key, long token) {
            return new Lease() {
                @Override
                public long fencingToken() {
                    return token(token);
                }

                @Override
                public boolean extend(Duration leaseTime) {
                    checkTime(leaseTime);
                    synchronized (held) {
                        Held holder = held.get(key);
                        boolean ours = holder != null && holder.until > time.nanos() && holder.token == token;
                        if (mayExtend(ours)) {
                            held.put(key, new Held(token, time.nanos() + life(leaseTime)));
                        }
                        return ours || mayExtend(ours);
                    }
                }

                @Override
                public void close() {
                    synchronized (held) {
                        Held holder = held.get(key);
                        if (mayFree(holder != null && holder.token == token)) {
                            held.remove(key);
                        }
                    }
                }
            };
        }

        void checkTime(Duration leaseTime) {
            if (leaseTime.isZero() || leaseTime.isNegative()) {
                throw new IllegalArgumentException("leaseTime must be positive, was " + leaseTime);
            }
        }

        String key(String name) {
            return name;
        }

        long life(Duration leaseTime) {
            return leaseTime.toNanos();
        }

        long token(long number) {
            return number;
        }

        boolean mayExtend(boolean ours) {
            return ours;
        }

        boolean mayFree(boolean ours) {
            return ours;
        }
    }

    static class Sound extends LockProviderContract {
        InMemory locks = new InMemory();

        @Override
        protected LockProvider provider() {
            return locks;
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXPIRES, Trait.NUMBERED);
        }

        @Override
        protected void letExpire(Duration leaseTime) {
            locks.time.advance(leaseTime);
        }
    }

    static class SoundInWholeSeconds extends Sound {
        SoundInWholeSeconds() {
            locks = new InMemory() {
                @Override
                long life(Duration leaseTime) {
                    return TimeUnit.SECONDS.toNanos(
                            leaseTime.plusNanos(999_999_999).toSeconds());
                }

                @Override
                long token(long number) {
                    return 0;
                }
            };
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXPIRES, Trait.WHOLE_SECONDS, Trait.WITH_THE_PROCESS);
        }

        @Override
        protected void letExpire(Duration leaseTime) {
            locks.time.advance(leaseTime.plusSeconds(1));
        }
    }

    static class ReleasesAnybodys extends Sound {
        ReleasesAnybodys() {
            locks = new InMemory() {
                @Override
                boolean mayFree(boolean ours) {
                    return true;
                }
            };
        }
    }

    /** Its leases end with the process that holds them, since it extends them by itself. */
    static class KeepsAlive extends Sound {
        @Override
        protected LockProvider provider() {
            return (name, leaseTime) -> locks.tryAcquire(name, leaseTime).map(lease -> kept(name, lease, leaseTime));
        }

        private Lease kept(String name, Lease lease, Duration leaseTime) {
            AtomicReference<Runnable> cancel = new AtomicReference<>();
            keep(name, lease, leaseTime, cancel);
            return new Lease() {
                @Override
                public long fencingToken() {
                    return lease.fencingToken();
                }

                @Override
                public boolean extend(Duration longer) {
                    return lease.extend(longer);
                }

                @Override
                public void close() {
                    ended(cancel.get());
                    lease.close();
                }
            };
        }

        private void keep(String name, Lease lease, Duration leaseTime, AtomicReference<Runnable> cancel) {
            cancel.set(locks.time.after(leaseTime.toNanos() / 3, () -> {
                locks.hold(name, lease.fencingToken(), leaseTime);
                keep(name, lease, leaseTime, cancel);
            }));
        }

        void ended(Runnable cancel) {
            cancel.run();
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.WITH_THE_PROCESS, Trait.NUMBERED);
        }
    }

    /** The renewal goes on when the lease was closed, and so takes the name again. */
    static class KeepsAliveForEver extends KeepsAlive {
        @Override
        void ended(Runnable cancel) {}
    }

    static class ExtendsAnybodys extends Sound {
        ExtendsAnybodys() {
            locks = new InMemory() {
                @Override
                boolean mayExtend(boolean ours) {
                    return true;
                }
            };
        }
    }

    static class SameToken extends Sound {
        SameToken() {
            locks = new InMemory() {
                @Override
                long token(long number) {
                    return 7;
                }
            };
        }
    }

    static class ClaimsNoNumbers extends Sound {
        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXPIRES);
        }
    }

    static class GrantsAll extends Sound {
        private final Meeting inside = new Meeting();

        GrantsAll() {
            locks = new InMemory() {
                @Override
                long token(long number) {
                    inside.await();
                    return number;
                }
            };
        }

        @Override
        protected LockProvider provider() {
            return (name, leaseTime) -> {
                locks.checkTime(leaseTime);
                return Optional.of(locks.lease(name, locks.numbers.incrementAndGet()));
            };
        }
    }

    static class ChecksThenActs extends Sound {
        private final Set<String> held = ConcurrentHashMap.newKeySet();
        private final Meeting between = new Meeting();
        private final Meeting inside = new Meeting();

        @Override
        protected LockProvider provider() {
            return (name, leaseTime) -> {
                if (held.contains(name)) {
                    return Optional.empty();
                }
                between.await();
                held.add(name);
                long token = locks.numbers.incrementAndGet();
                return Optional.of(new Lease() {
                    @Override
                    public long fencingToken() {
                        inside.await();
                        return token;
                    }

                    @Override
                    public boolean extend(Duration leaseTime) {
                        return held.contains(name);
                    }

                    @Override
                    public void close() {
                        held.remove(name);
                    }
                });
            };
        }
    }

    static class CutsToSeconds extends Sound {
        CutsToSeconds() {
            locks = new InMemory() {
                @Override
                long life(Duration leaseTime) {
                    long seconds = leaseTime.toSeconds();
                    return TimeUnit.SECONDS.toNanos(seconds == 0 ? 1_000_000 : seconds); // a server's 0 is "for ever"
                }
            };
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXPIRES, Trait.WHOLE_SECONDS, Trait.NUMBERED);
        }
    }

    static class NeverEnds extends Sound {
        NeverEnds() {
            locks = new InMemory() {
                @Override
                long life(Duration leaseTime) {
                    return TimeUnit.DAYS.toNanos(1);
                }
            };
        }
    }

    static class ExtendsNothing extends Sound {
        ExtendsNothing() {
            locks = new InMemory() {
                @Override
                boolean mayExtend(boolean ours) {
                    return false;
                }
            };
        }
    }

    static class BoundToItsThread extends Sound {
        private final Map<String, ReentrantLock> all = new ConcurrentHashMap<>();

        @Override
        protected LockProvider provider() {
            return (name, leaseTime) -> {
                ReentrantLock lock = all.computeIfAbsent(name, key -> new ReentrantLock());
                return lock.tryLock() ? Optional.of(lease(lock)) : Optional.empty();
            };
        }

        private static Lease lease(ReentrantLock lock) {
            return new Lease() {
                @Override
                public boolean extend(Duration leaseTime) {
                    return lock.isHeldByCurrentThread();
                }

                @Override
                public void close() {
                    lock.unlock();
                }
            };
        }
    }

    static class OneForAll extends Sound {
        OneForAll() {
            locks = new InMemory() {
                @Override
                String key(String name) {
                    return "";
                }
            };
        }
    }

    static class FoldsNames extends Sound {
        FoldsNames() {
            locks = new InMemory() {
                @Override
                String key(String name) {
                    String trimmed = name.trim();
                    return trimmed.substring(0, Math.min(trimmed.length(), 250));
                }
            };
        }
    }

    static class ChecksNoTime extends Sound {
        ChecksNoTime() {
            locks = new InMemory() {
                @Override
                void checkTime(Duration leaseTime) {}
            };
        }
    }

    static class FreesNothing extends Sound {
        FreesNothing() {
            locks = new InMemory() {
                @Override
                boolean mayFree(boolean ours) {
                    return false;
                }
            };
        }

        @Override
        protected Duration patience() {
            return Duration.ofMillis(200);
        }
    }

    /** The name's lock is registered weakly, and the lease keeps only what is inside it. */
    static class KeptWeakly extends Sound {
        private final NameRegistry<Wrapper> registry = NameRegistry.of(name -> new Wrapper(new AtomicBoolean()));

        private record Wrapper(AtomicBoolean inner) {}

        @Override
        protected LockProvider provider() {
            return (name, leaseTime) -> {
                AtomicBoolean inner = registry.get(name).inner();
                return inner.compareAndSet(false, true) ? Optional.of(lease(inner)) : Optional.empty();
            };
        }

        private static Lease lease(AtomicBoolean inner) {
            return new Lease() {
                @Override
                public boolean extend(Duration leaseTime) {
                    return inner.get();
                }

                @Override
                public void close() {
                    inner.set(false);
                }
            };
        }
    }

    static class Permits extends Sound {
        private final Map<String, Semaphore> all = new ConcurrentHashMap<>();

        @Override
        protected LockProvider provider() {
            return (name, leaseTime) -> {
                Semaphore permits = all.computeIfAbsent(name, key -> new Semaphore(1));
                return permits.tryAcquire() ? Optional.of(lease(permits)) : Optional.empty();
            };
        }

        private static Lease lease(Semaphore permits) {
            return new Lease() {
                @Override
                public boolean extend(Duration leaseTime) {
                    return permits.availablePermits() == 0;
                }

                @Override
                public void close() {
                    permits.release();
                }
            };
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.WITH_THE_PROCESS);
        }
    }

    static class EndsByNothing extends Sound {
        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.NUMBERED);
        }
    }
}
