package io.dogpile.cache.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder.request;

import io.dogpile.cache.testing.BackendContract;
import io.dogpile.core.Forwarding;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** The contract bites: backends that are broken in one way each fail it, and one that is not passes. */
class BackendContractTest {
    private static final int CLAIMS = 50;

    @Test
    void soundBackend_passes() {
        assertEquals(Set.of(), broken(Sound.class));
    }

    @Test
    void lostNull_isCaught() {
        assertCaught(LosesNulls.class, "nullPut_isAPresentNull", "softlyInvalidatedNull_isAStaleNull");
    }

    @Test
    void softInvalidationThatRemoves_isCaught() {
        assertCaught(
                SoftRemoves.class,
                "softInvalidation_leavesTheValueStale_twiceToo",
                "invalidationOfSeveral_leavesTheOthers");
    }

    @Test
    void softInvalidationThatRevives_isCaught() {
        assertCaught(SoftRevives.class, "softAfterHard_revivesNothing");
    }

    @Test
    void softInvalidationThatMakesAnotherVersion_isCaught() {
        assertCaught(SoftIsNews.class, "softInvalidation_leavesTheValueStale_twiceToo");
    }

    @Test
    void regionInvalidationThatDoesNothing_isCaught() {
        assertCaught(
                RegionStays.class,
                "softInvalidationOfAll_leavesAllStale",
                "hardInvalidationOfAll_leavesNothing",
                "invalidationOfAll_voidsRightsGrantedBefore");
    }

    @Test
    void publicationAfterLoss_isCaught() {
        assertCaught(
                PublishesAnyway.class,
                "put_voidsARightGrantedBefore",
                "putAll_voidsARightGrantedBefore",
                "invalidation_voidsARightGrantedBefore",
                "invalidationOfSeveral_voidsRightsGrantedBefore",
                "invalidationOfAll_voidsRightsGrantedBefore",
                "secondClaim_isHeld_orTakesTheRightOver",
                "abandonedRight_publishesNothing",
                "right_isGoodForOnePublication",
                "rightsOfABatch_areVoidedOneByOne");
    }

    @Test
    void draftThatIsStoredThoughNotToBeKept_isCaught() {
        assertCaught(KeepsAll.class, "draftNotToBeKept_isHandedOn_andNotStored");
    }

    @Test
    void claimThatShowsWhatWasSeenBefore_isCaught() {
        assertCaught(
                ClaimsBlindly.class,
                "claimAfterAnotherPublished_showsWhatIsThere_orLooksNot",
                "claimAll_showsWhatWasStoredSince_orLooksNot");
    }

    @Test
    void foldedKeys_areCaught() {
        assertCaught(FoldsKeys.class, "oddKeys_areKeys_andDifferent");
    }

    @Test
    void cutKeys_areCaught() {
        assertCaught(CutsKeys.class, "oddKeys_areKeys_andDifferent");
    }

    @Test
    void limitThatIsNoLongerFresh_isCaught() {
        assertCaught(StaleAtTheLimit.class, "ageEqualToTheLimit_isStillFresh_andOneStepMoreIsNot");
    }

    @Test
    void lifeCutToWholeSeconds_isCaught() {
        assertCaught(ZeroIsForEver.class, "lifeOfANanosecond_ends");
    }

    @Test
    void readAllThatLeavesOutTheAbsent_isCaught() {
        assertCaught(LeavesOut.class, "readAll_answersForEachKey");
    }

    @Test
    void lookThatLags_isCaught() {
        assertCaught(
                LooksBehind.class, "hardInvalidation_leavesNothing_twiceToo", "hardInvalidationOfAll_leavesNothing");
    }

    @Test
    void regionsThatShareKeys_areCaught() {
        assertCaught(OneForAll.class, "regions_doNotTouchEachOther");
    }

    @Test
    void valueThatIsForgotten_whereItIsSaidToPersist_isCaught() {
        assertCaught(SaysItPersists.class, "restart_keepsWhatIsPersistent");
    }

    @Test
    void valueThatPersists_whereItIsSaidNotTo_isCaught() {
        assertCaught(PersistsInSecret.class, "restart_keepsWhatIsPersistent");
    }

    @Test
    void lostStamps_areCaught() {
        assertCaught(LosesCost.class, "put_thenRead_givesTheValueWithItsStamps");
    }

    @Test
    void equalVersions_areCaught() {
        assertCaught(OneVersion.class, "equalValues_areDifferentVersions", "put_overPut_replaces_andIsAnotherVersion");
    }

    @Test
    void valueOfAnotherKey_isCaught() {
        assertCaught(Mixes.class, "manyThreads_neverSeeATornOrForeignValue");
    }

    // A store that grants rights by itself, with one mistake each: what catches it is what speaks of it, and nothing
    // else.

    @Test
    void soundStoreWithRights_passes() {
        assertEquals(Set.of(), broken(Rights.class));
    }

    @Test
    void rightGivenBackWithoutOwnerCheck_isCaught() {
        assertEquals(Set.of("lateAbandon_leavesAnotherHoldersRight"), broken(RightsWithoutOwnerCheck.class));
    }

    @Test
    void renewalThatIsNotCancelled_isCaught() {
        assertEquals(Set.of("rightThatEnded_isNotRenewed"), broken(RightsWithoutRenewalCancel.class));
    }

    @Test
    void secondLookThatIsLeftOut_isCaught() {
        assertEquals(
                Set.of(
                        "claimAfterAnotherPublished_showsWhatIsThere_orLooksNot",
                        "claimAll_showsWhatWasStoredSince_orLooksNot"),
                broken(RightsWithoutSecondLook.class));
    }

    @Test
    void registrationThatComesTooLate_isCaught() {
        assertEquals(Set.of("whoIsRefusedAndWatches_isTold"), broken(RightsWithLateRegistration.class));
    }

    @Test
    void publicationWithoutNonce_isCaught() {
        assertEquals(
                Set.of(
                        "put_voidsARightGrantedBefore",
                        "putAll_voidsARightGrantedBefore",
                        "invalidation_voidsARightGrantedBefore",
                        "invalidationOfSeveral_voidsRightsGrantedBefore",
                        "invalidationOfAll_voidsRightsGrantedBefore",
                        "abandonedRight_publishesNothing",
                        "right_isGoodForOnePublication",
                        "draftNotToBeKept_isRefused_whereTheRightIsLost",
                        "rightsOfABatch_areVoidedOneByOne"),
                broken(RightsWithoutNonce.class));
    }

    private static void assertCaught(Class<? extends BackendContract> suite, String... claims) {
        Set<String> broken = broken(suite);
        assertTrue(broken.containsAll(Set.of(claims)), () -> "only these were seen to be broken: " + broken);
    }

    /** The claims of the contract that the backend of this suite breaks. */
    private static Set<String> broken(Class<? extends BackendContract> suite) {
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

    /** A sound backend in memory. Subclasses break what its partition does. */
    static class Sound extends BackendContract {
        @Override
        protected Backend backend() {
            return new Backend() {
                @Override
                public <V> Partition<V> open(Opening<V> opening) {
                    return new Twin<>(Sound.this, MemoryBackend.create().open(opening.byReference()));
                }
            };
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of();
        }

        Object key(Object key) {
            return key;
        }

        <V> Slot.Seen<V> seen(Object key, Slot.Seen<V> seen) {
            return seen;
        }

        <V> Slot.Seen<V> looked(Partition<V> inner, Object key) {
            return seen(key, inner.look(key));
        }

        <V> Slot.Claim<V> claim(Slot.Seen<V> seen, Slot.Wish wish) throws Exception {
            return seen.claim(wish);
        }

        <V> Slot.Published<V> publish(Partition<V> inner, Object key, Slot.Grant<V> right, Slot.Draft<V> draft)
                throws Exception {
            return right.publish(draft);
        }

        <V> void put(Partition<V> inner, Object key, Slot.Draft<V> draft) throws Exception {
            inner.put(key, draft);
        }

        <V> void invalidate(Partition<V> inner, Object key, Invalidation how) throws Exception {
            inner.invalidate(key, how);
        }

        <V> void invalidateAll(Partition<V> inner, Invalidation how) throws Exception {
            inner.invalidateAll(how);
        }

        <V> Map<Object, Slot.Seen<V>> readAll(Map<Object, Slot.Seen<V>> seen) {
            return seen;
        }
    }

    /** A partition each of whose steps its suite may break. */
    private record Twin<V>(Sound suite, Partition<V> inner) implements Partition<V> {
        @Override
        public Slot.Seen<V> look(Object key) {
            return suite.looked(inner, suite.key(key));
        }

        @Override
        public Slot<V> slot(Object key) {
            return () -> sight(suite.key(key), inner.slot(suite.key(key)).read());
        }

        private Slot.Seen<V> sight(Object key, Slot.Seen<V> read) {
            return new Forwarding.Seen<>(suite.seen(key, read)) {
                @Override
                public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
                    Slot.Claim<V> claim = suite.claim(read, wish);
                    Slot.Grant<V> right = claim.grant();
                    Slot.Grant<V> shown = new Slot.Grant<>() {
                        @Override
                        public long fencingToken() {
                            return right.fencingToken();
                        }

                        @Override
                        public boolean renew() throws Exception {
                            return right.renew();
                        }

                        @Override
                        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
                            return suite.publish(Twin.this.inner(), key, right, draft);
                        }

                        @Override
                        public void abandon(Throwable cause) throws Exception {
                            right.abandon(cause);
                        }
                    };
                    return Slot.Claim.granted(shown, sight(key, claim.seen()));
                }
            };
        }

        @Override
        public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) throws Exception {
            return suite.readAll(Partition.super.readAll(keys));
        }

        @Override
        public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Slots.Asked<V>> asked) throws Exception {
            return Partition.super.claimAll(asked);
        }

        @Override
        public void put(Object key, Slot.Draft<V> draft) throws Exception {
            suite.put(inner, suite.key(key), draft);
        }

        @Override
        public void invalidate(Object key, Invalidation how) throws Exception {
            suite.invalidate(inner, suite.key(key), how);
        }

        @Override
        public void invalidateAll(Invalidation how) throws Exception {
            suite.invalidateAll(inner, how);
        }

        @Override
        public void close() {
            inner.close();
        }
    }

    static class LosesNulls extends Sound {
        @Override
        <V> void put(Partition<V> inner, Object key, Slot.Draft<V> draft) throws Exception {
            if (draft.value() != null) {
                inner.put(key, draft);
            }
        }
    }

    static class SoftRemoves extends Sound {
        @Override
        <V> void invalidate(Partition<V> inner, Object key, Invalidation how) throws Exception {
            inner.invalidate(key, Invalidation.HARD);
        }
    }

    static class SoftRevives extends Sound {
        private final Map<Object, Object> last = new ConcurrentHashMap<>();

        @Override
        <V> void put(Partition<V> inner, Object key, Slot.Draft<V> draft) throws Exception {
            last.put(key, draft);
            inner.put(key, draft);
        }

        @Override
        @SuppressWarnings("unchecked") // as it was put
        <V> void invalidate(Partition<V> inner, Object key, Invalidation how) throws Exception {
            if (how == Invalidation.SOFT && last.containsKey(key)) {
                inner.put(key, (Slot.Draft<V>) last.get(key));
            }
            inner.invalidate(key, how);
        }
    }

    static class SoftIsNews extends Sound {
        @Override
        <V> void invalidate(Partition<V> inner, Object key, Invalidation how) throws Exception {
            Slot.Seen<V> seen = inner.slot(key).read();
            if (how == Invalidation.SOFT && seen.present()) {
                inner.put(
                        key, new Slot.Draft<>(seen.value(), USABLE, USABLE, Duration.ofNanos(seen.costNanos()), true));
            }
            inner.invalidate(key, how);
        }
    }

    static class RegionStays extends Sound {
        @Override
        <V> void invalidateAll(Partition<V> inner, Invalidation how) {}
    }

    static class PublishesAnyway extends Sound {
        @Override
        <V> Slot.Published<V> publish(Partition<V> inner, Object key, Slot.Grant<V> right, Slot.Draft<V> draft)
                throws Exception {
            Slot.Published<V> published = right.publish(draft);
            if (published.outcome() == Slot.Published.Outcome.STORED) {
                return published;
            }
            inner.put(key, draft);
            return new Slot.Published<>(
                    Slot.Published.Outcome.STORED, inner.slot(key).read());
        }
    }

    static class KeepsAll extends Sound {
        @Override
        <V> Slot.Published<V> publish(Partition<V> inner, Object key, Slot.Grant<V> right, Slot.Draft<V> draft)
                throws Exception {
            return right.publish(
                    new Slot.Draft<>(draft.value(), draft.staleAfter(), draft.expireAfter(), draft.cost(), true));
        }
    }

    static class ClaimsBlindly extends Sound {
        @Override
        <V> Slot.Claim<V> claim(Slot.Seen<V> seen, Slot.Wish wish) throws Exception {
            return seen.claim(new Slot.Wish(wish.reason(), wish.maxAgeNanos(), wish.willWait(), true));
        }
    }

    static class FoldsKeys extends Sound {
        @Override
        Object key(Object key) {
            return key.toString().toLowerCase(Locale.ROOT);
        }
    }

    static class CutsKeys extends Sound {
        @Override
        Object key(Object key) {
            String text = key.toString();
            return text.length() <= 250 ? text : text.substring(0, 250);
        }
    }

    static class StaleAtTheLimit extends Sound {
        @Override
        <V> Slot.Seen<V> seen(Object key, Slot.Seen<V> seen) {
            return seen == null
                    ? null
                    : new Seen<>(seen) {
                        @Override
                        public long freshUntil() {
                            return inner.present() ? inner.freshUntil() - 1 : inner.freshUntil();
                        }
                    };
        }
    }

    static class ZeroIsForEver extends Sound {
        @Override
        <V> void put(Partition<V> inner, Object key, Slot.Draft<V> draft) throws Exception {
            long seconds = draft.expireAfter().toSeconds();
            Duration life = seconds == 0 ? Duration.ofSeconds(Long.MAX_VALUE) : draft.expireAfter();
            inner.put(key, new Slot.Draft<>(draft.value(), draft.staleAfter(), life, draft.cost(), true));
        }
    }

    static class LeavesOut extends Sound {
        @Override
        <V> Map<Object, Slot.Seen<V>> readAll(Map<Object, Slot.Seen<V>> seen) {
            Map<Object, Slot.Seen<V>> present = new LinkedHashMap<>(seen);
            present.values().removeIf(one -> !one.present());
            return present;
        }
    }

    static class LooksBehind extends Sound {
        private final Map<Object, Object> first = new ConcurrentHashMap<>();

        @Override
        @SuppressWarnings("unchecked") // as it was looked at
        <V> Slot.Seen<V> looked(Partition<V> inner, Object key) {
            Slot.Seen<V> now = inner.look(key);
            return now == null ? (Slot.Seen<V>) first.get(key) : now;
        }

        @Override
        <V> Slot.Seen<V> seen(Object key, Slot.Seen<V> seen) {
            if (seen.present()) {
                first.putIfAbsent(key, seen);
            }
            return seen;
        }
    }

    static class OneForAll extends Sound {
        private Partition<?> only;

        @Override
        protected Backend backend() {
            return new Backend() {
                @Override
                @SuppressWarnings("unchecked") // of strings, but for one test that opens another
                public <V> Partition<V> open(Opening<V> opening) {
                    if (only == null) {
                        only = MemoryBackend.create().open(opening.byReference());
                    }
                    return new Twin<>(OneForAll.this, (Partition<V>) only);
                }
            };
        }
    }

    static class SaysItPersists extends Sound {
        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT);
        }
    }

    static class PersistsInSecret extends Sound {
        @Override
        protected Backend backend() {
            return SerializingBackend.of(new BytesInMemory());
        }
    }

    static class LosesCost extends Sound {
        @Override
        <V> Slot.Seen<V> seen(Object key, Slot.Seen<V> seen) {
            return seen == null
                    ? null
                    : new Seen<>(seen) {
                        @Override
                        public long costNanos() {
                            return 0;
                        }
                    };
        }
    }

    static class OneVersion extends Sound {
        @Override
        <V> Slot.Seen<V> seen(Object key, Slot.Seen<V> seen) {
            return seen == null
                    ? null
                    : new Seen<>(seen) {
                        @Override
                        public long version() {
                            return 7;
                        }
                    };
        }
    }

    /** Answers a thread by what another thread read last, of whichever key. */
    static class Mixes extends Sound {
        private record Read(Thread by, Slot.Seen<?> seen) {}

        private final AtomicReference<Read> last = new AtomicReference<>();

        @Override
        @SuppressWarnings("unchecked") // of one type, mostly of one key
        <V> Slot.Seen<V> seen(Object key, Slot.Seen<V> seen) {
            if (seen == null || !seen.present()) {
                return seen;
            }
            Read before = last.getAndSet(new Read(Thread.currentThread(), seen));
            return before == null || before.by() == Thread.currentThread() ? seen : (Slot.Seen<V>) before.seen();
        }
    }

    private abstract static class Seen<V> extends Forwarding.Seen<V> {
        Seen(Slot.Seen<V> inner) {
            super(inner);
        }

        @Override
        public boolean fresh(long nanos) {
            return nanos <= freshUntil();
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            return inner.claim(wish);
        }
    }

    static class Rights extends BackendContract {
        SeededStore.Mistake mistake() {
            return SeededStore.Mistake.NONE;
        }

        @Override
        protected Backend backend() {
            return new SeededStore(mistake());
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT, Trait.EXCLUSIVE, Trait.TELLS);
        }
    }

    static class RightsWithoutOwnerCheck extends Rights {
        @Override
        SeededStore.Mistake mistake() {
            return SeededStore.Mistake.OWNER_CHECK;
        }
    }

    static class RightsWithoutRenewalCancel extends Rights {
        @Override
        SeededStore.Mistake mistake() {
            return SeededStore.Mistake.RENEWAL_CANCEL;
        }
    }

    static class RightsWithoutSecondLook extends Rights {
        @Override
        SeededStore.Mistake mistake() {
            return SeededStore.Mistake.SECOND_LOOK;
        }
    }

    static class RightsWithLateRegistration extends Rights {
        @Override
        SeededStore.Mistake mistake() {
            return SeededStore.Mistake.LATE_REGISTRATION;
        }

        @Override
        protected Duration patience() {
            return Duration.ofMillis(100); // a store that tells tells at once, on the thread of the writer
        }
    }

    static class RightsWithoutNonce extends Rights {
        @Override
        SeededStore.Mistake mistake() {
            return SeededStore.Mistake.NONCE;
        }
    }
}
