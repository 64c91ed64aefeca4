package io.dogpile.cache.testing;

import static java.util.stream.Collectors.toMap;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Backend} holds. A backend's test extends this class and says two things: which backend, and of what
 * kind it is.
 *
 * <pre>{@code
 * class MyBackendTest extends BackendContract {
 *     protected Backend backend() { return new MyBackend(server); }
 *     protected Set<Trait> traits() { return Set.of(Trait.PERSISTENT); }
 * }
 * }</pre>
 *
 * <p>No claim is skipped for want of a trait: each then claims the opposite. Regions are new in each test, so that suites
 * may share a server. The tags are rows of the conformance list; DESIGN.md tells how to read them.
 */
public abstract class BackendContract {
    /** Of what kind a backend is. */
    public enum Trait {
        /** What is stored in a region is there for who opens it again. */
        PERSISTENT,
        /** A second claim is refused while the right of the first is held; else it takes the right over. */
        EXCLUSIVE,
        /** Who is refused a right, and watched its key before, is told as soon as there is a value or the right is free. */
        TELLS,
        /** Nothing is ever stored. */
        FORGETFUL
    }

    /** How long the values of this suite are fresh. */
    protected static final Duration FRESH = Duration.ofSeconds(60);

    /** How long they may be served. */
    protected static final Duration USABLE = Duration.ofSeconds(600);

    private static final Duration COST = Duration.ofMillis(5);
    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);
    private static final Duration INSTANT = Duration.ofMillis(1);
    private static final int THREADS = 16;
    private static final int ROUNDS = 200;

    private final List<Partition<?>> opened = new ArrayList<>();
    private final String region = "contract-" + UUID.randomUUID();
    private Backend backend;
    private TimeSource time;
    private Partition<String> partition;

    /**
     * The backend to be tested.
     *
     * @return a backend; asked once for each test
     */
    protected abstract Backend backend();

    /**
     * Of what kind it is.
     *
     * @return its traits
     */
    protected abstract Set<Trait> traits();

    /**
     * The same backend after a restart: another client of the same store.
     *
     * @param first what {@link #backend()} gave for this test
     * @return by default the first one
     */
    protected Backend restarted(Backend first) {
        return first;
    }

    /**
     * The clock that regions are opened with.
     *
     * @return by default one that {@link #letPass} moves; the system's for a store whose clock cannot be turned
     */
    protected TimeSource clock() {
        return new FakeTime();
    }

    /**
     * Lets time pass. Who overrides {@link #clock()} waits here, or lies about the lives of values elsewhere.
     *
     * @param clock what {@link #clock()} gave
     * @param howLong the time that must have passed
     */
    protected void letPass(TimeSource clock, Duration howLong) {
        ((FakeTime) clock).advance(howLong);
    }

    /**
     * How long rights last that are not renewed, where they end by time.
     *
     * @return by default longer than any test takes
     */
    protected Duration lease() {
        return Duration.ofMinutes(5);
    }

    /**
     * The smallest step by which the backend tells lives apart.
     *
     * @return by default a millisecond
     */
    protected Duration precision() {
        return INSTANT;
    }

    /**
     * How long, in real time, a store may take to tell who watches.
     *
     * @return by default 10 seconds
     */
    protected Duration patience() {
        return Duration.ofSeconds(10);
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
        backend = backend();
        time = clock();
        partition = open(backend, region, Serializer.string());
    }

    @AfterEach
    void close() throws Exception {
        try {
            opened.forEach(Partition::close);
        } finally {
            closeStore();
        }
    }

    private <V> Partition<V> open(Backend where, String name, Serializer<V> serializer) {
        Partition<V> one = where.open(new Opening<>(
                name,
                Object::toString,
                serializer,
                1 << 20,
                lease(),
                lease(),
                Opening.Backoff.DEFAULT,
                time,
                DogpileListener.NONE));
        opened.add(one);
        return one;
    }

    private boolean keeps() {
        return !traits().contains(Trait.FORGETFUL);
    }

    // One key

    @Test
    @Tag("D-001")
    @Tag("C-036")
    void read_ofNothing_isAbsent() throws Exception {
        Slot.Seen<String> seen = read("key");
        assertFalse(seen.present());
        assertNull(seen.value());
        assertEquals(Long.MIN_VALUE, seen.freshUntil());
        assertEquals(Long.MIN_VALUE, seen.usableUntil());
        assertEquals(Instant.EPOCH, seen.createdAt());
        assertFalse(seen.usable(time.nanos()));
        assertNull(partition.look("key"));
    }

    @Test
    @Tag("D-003")
    @Tag("D-006")
    @Tag("C-129")
    void put_thenRead_givesTheValueWithItsStamps() throws Exception {
        long before = time.nanos();
        Instant putAt = time.instant();
        partition.put("key", draft("value"));
        long after = time.nanos();
        Slot.Seen<String> seen = read("key");
        if (!keeps()) {
            assertFalse(seen.present());
            return;
        }
        long step = precision().toNanos();
        assertHolds("key", "value");
        assertWithin(before - step, after + step, seen.bornAt());
        assertWithin(before + FRESH.toNanos() - step, after + FRESH.toNanos() + step, seen.freshUntil());
        assertWithin(before + USABLE.toNanos() - step, after + USABLE.toNanos() + step, seen.usableUntil());
        assertWithin(
                -step,
                time.nanos() - before + step,
                Duration.between(putAt, seen.createdAt()).toNanos());
        assertEquals(COST.toNanos(), seen.costNanos());
    }

    @Test
    void put_overPut_replaces_andIsAnotherVersion() throws Exception {
        partition.put("key", draft("one"));
        long first = read("key").version();
        partition.put("key", draft("two"));
        assertHolds("key", "two");
        if (keeps()) {
            assertNotEquals(first, read("key").version());
        }
    }

    @Test
    void equalValues_areDifferentVersions() throws Exception {
        partition.put("key", draft("same"));
        long first = read("key").version();
        partition.put("key", draft("same"));
        if (keeps()) {
            assertNotEquals(first, read("key").version());
        }
        assertEquals(read("key").version(), read("key").version());
    }

    @Test
    @Tag("C-037")
    void nullPut_isAPresentNull() throws Exception {
        partition.put("key", draft(null));
        Slot.Seen<String> seen = read("key");
        assertEquals(keeps(), seen.present());
        assertNull(seen.value());
        assertEquals(keeps(), seen.fresh(time.nanos()));
        partition.put("key", draft("value"));
        assertHolds("key", "value");
    }

    @Test
    @Tag("D-002")
    @Tag("D-004")
    @Tag("C-050")
    void hardInvalidation_leavesNothing_twiceToo() throws Exception {
        partition.invalidate("key", Invalidation.HARD);
        assertGone("key");
        partition.put("key", draft("value"));
        read("key");
        partition.invalidate("key", Invalidation.HARD);
        assertGone("key");
        partition.invalidate("key", Invalidation.HARD);
        assertGone("key");
        partition.put("key", draft("again"));
        assertHolds("key", "again");
    }

    @Test
    void softInvalidation_leavesTheValueStale_twiceToo() throws Exception {
        partition.invalidate("key", Invalidation.SOFT);
        assertGone("key");
        partition.put("key", draft("value"));
        long version = read("key").version();
        partition.invalidate("key", Invalidation.SOFT);
        assertStale("key", "value");
        partition.invalidate("key", Invalidation.SOFT);
        assertStale("key", "value");
        if (keeps()) {
            assertEquals(version, read("key").version(), "it is the same value");
        }
        partition.put("key", draft("again"));
        assertHolds("key", "again");
    }

    @Test
    void softlyInvalidatedNull_isAStaleNull() throws Exception {
        partition.put("key", draft(null));
        partition.invalidate("key", Invalidation.SOFT);
        assertStale("key", null);
    }

    @Test
    void softlyInvalidatedValue_stillExpires() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidate("key", Invalidation.SOFT);
        letPass(time, USABLE.plus(precision()));
        assertGone("key");
    }

    @Test
    void hardAfterSoft_leavesNothing() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidate("key", Invalidation.SOFT);
        partition.invalidate("key", Invalidation.HARD);
        assertGone("key");
    }

    @Test
    void softAfterHard_revivesNothing() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidate("key", Invalidation.HARD);
        partition.invalidate("key", Invalidation.SOFT);
        assertGone("key");
    }

    @Test
    @Tag("C-131")
    @Tag("D-003")
    void binaryValues_comeBackAsTheyWere() throws Exception {
        Partition<byte[]> bytes = open(backend, region + "-bytes", Serializer.bytes());
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        for (byte[] value : List.of(all, new byte[0], "a|b|c".getBytes(), new byte[100_000])) {
            bytes.put("key", new Slot.Draft<>(value.clone(), FRESH, USABLE, COST, true));
            assertArrayEquals(keeps() ? value : null, bytes.slot("key").read().value());
        }
    }

    @Test
    @Tag("D-006")
    void oddKeys_areKeys_andDifferent() throws Exception {
        String long300 = "x".repeat(300);
        StringBuilder binary = new StringBuilder();
        for (char c = 0; c < 256; c++) {
            binary.append(c);
        }
        List<String> odd = List.of(
                "",
                " ",
                "a blank",
                "a:colon",
                "a",
                "A",
                "a ",
                " a",
                "a/b/../c",
                "..",
                "back\\slash",
                "line\nbreak\r\n",
                "tab\tand\u0000nul",
                "{brace}*?[x]",
                "%s%n",
                "~hard",
                "~soft",
                long300,
                long300 + "y",
                "\u5217\u5341\u00e9\u0436\ud83d\udc36",
                "\u00e9",
                "e\u0301",
                binary.toString());
        for (String key : odd) {
            partition.put(key, draft("of " + key));
        }
        for (String key : odd) {
            assertHolds(key, "of " + key);
        }
        partition.invalidate(odd.get(0), Invalidation.HARD);
        assertGone(odd.get(0));
        for (String key : odd.subList(1, odd.size())) {
            assertHolds(key, "of " + key);
        }
    }

    // Lives

    @Test
    void ageEqualToTheLimit_isStillFresh_andOneStepMoreIsNot() throws Exception {
        partition.put("key", draft("value"));
        if (time instanceof FakeTime) {
            letPass(time, FRESH);
            assertHolds("key", "value");
        } else {
            letPass(time, FRESH);
        }
        letPass(time, precision());
        assertStale("key", "value");
        if (time instanceof FakeTime) {
            letPass(time, USABLE.minus(FRESH).minus(precision()));
            assertStale("key", "value");
        } else {
            letPass(time, USABLE.minus(FRESH));
        }
        letPass(time, precision());
        assertGone("key");
    }

    @Test
    void lifeWithoutEnd_hasNone() throws Exception {
        partition.put("key", new Slot.Draft<>("value", FOR_EVER, FOR_EVER, COST, true));
        if (time instanceof FakeTime) {
            letPass(time, Duration.ofDays(10_000));
        }
        assertHolds("key", "value");
        if (keeps()) {
            assertEquals(Slot.NEVER, read("key").usableUntil());
            assertEquals(Slot.NEVER, read("key").freshUntil());
        }
    }

    @Test
    void lifeOfANanosecond_ends() throws Exception {
        Duration shortest = Duration.ofNanos(1);
        partition.put("key", new Slot.Draft<>("value", shortest, shortest, COST, true));
        letPass(time, Duration.ofSeconds(2));
        assertGone("key");
    }

    // Rights

    @Test
    void grantedClaim_publishes() throws Exception {
        Slot.Claim<String> claim = claim("key");
        assertEquals(Slot.Claim.Kind.GRANTED, claim.kind());
        assertTrue(claim.grant().renew());
        assertFalse(claim.grant().lease().isNegative());
        Slot.Published<String> published = claim.grant().publish(draft("value"));
        assertEquals(Slot.Published.Outcome.STORED, published.outcome());
        assertNull(published.trouble());
        assertHolds("key", "value");
        if (keeps()) {
            assertNotNull(published.seen());
            assertEquals("value", published.seen().value());
            assertEquals(read("key").version(), published.seen().version());
            assertTrue(published.seen().fresh(time.nanos()));
        }
    }

    @Test
    @Tag("C-037")
    void publishedNull_isAPresentNull() throws Exception {
        claim("key").grant().publish(draft(null));
        assertEquals(keeps(), read("key").present());
        assertNull(read("key").value());
    }

    @Test
    void tokensOfOneKey_grow() throws Exception {
        long last = 0;
        for (int grant = 0; grant < 5; grant++) {
            Slot.Grant<String> right = claim("key").grant();
            long token = right.fencingToken();
            assertTrue(token == 0 || token > last, "token " + token + " after " + last);
            last = token;
            right.abandon(null);
        }
    }

    @Test
    void claimAfterAnotherPublished_showsWhatIsThere_orLooksNot() throws Exception {
        Slot.Seen<String> nothing = read("key");
        partition.put("key", draft("value"));
        Slot.Claim<String> claim = nothing.claim(wish());
        if (keeps() && claim.seen() != null) {
            assertEquals("value", claim.seen().value());
        }
        if (claim.kind() == Slot.Claim.Kind.GRANTED) {
            claim.grant().abandon(null);
        }
        assertHolds("key", "value");
    }

    @Test
    void rightOverAStaleValue_replacesIt() throws Exception {
        partition.put("key", draft("old"));
        partition.invalidate("key", Invalidation.SOFT);
        Slot.Claim<String> claim = claim("key");
        assertEquals(
                Slot.Published.Outcome.STORED,
                claim.grant().publish(draft("new")).outcome());
        assertHolds("key", "new");
    }

    @Test
    void abandonedRight_isFreeAgain() throws Exception {
        claim("key").grant().abandon(new IllegalStateException("the creator failed"));
        assertGone("key");
        Slot.Claim<String> next = claim("key");
        assertEquals(Slot.Claim.Kind.GRANTED, next.kind());
        next.grant().publish(draft("value"));
        assertHolds("key", "value");
    }

    @Test
    void abandonedRight_publishesNothing() throws Exception {
        Slot.Grant<String> right = claim("key").grant();
        right.abandon(null);
        right.abandon(null);
        assertRefused(right, "late");
        assertGone("key");
    }

    @Test
    void right_isGoodForOnePublication() throws Exception {
        Slot.Grant<String> right = claim("key").grant();
        right.publish(draft("first"));
        assertRefused(right, "second");
        assertHolds("key", "first");
    }

    @Test
    void secondClaim_isHeld_orTakesTheRightOver() throws Exception {
        Slot.Grant<String> first = claim("key").grant();
        Slot.Claim<String> second = claim("key");
        if (traits().contains(Trait.EXCLUSIVE)) {
            assertEquals(Slot.Claim.Kind.HELD, second.kind());
            assertTrue(first.renew());
            first.publish(draft("first"));
            assertHolds("key", "first");
        } else {
            assertEquals(Slot.Claim.Kind.GRANTED, second.kind());
            assertEquals(!keeps(), first.renew());
            assertRefused(first, "first");
            assertGone("key");
            second.grant().publish(draft("second"));
            assertHolds("key", "second");
            assertRefused(first, "first");
            assertHolds("key", "second");
        }
    }

    @Test
    void lateAbandon_leavesAnotherHoldersRight() throws Exception {
        for (boolean published : List.of(true, false)) {
            Slot.Grant<String> late = claim("key").grant();
            if (published) {
                late.publish(draft("first"));
            } else {
                partition.invalidate("key", Invalidation.HARD);
            }
            Slot.Claim<String> next = claim("key");
            if (next.kind() == Slot.Claim.Kind.HELD) {
                late.abandon(null); // where a lock grants the right, which knows nothing of invalidations
                next = claim("key");
            }
            late.abandon(null);
            assertTrue(next.grant().renew(), "the right went with one that had ended before");
            assertEquals(
                    Slot.Published.Outcome.STORED,
                    next.grant().publish(draft("value")).outcome());
            assertHolds("key", "value");
        }
    }

    @Test
    void rightThatEnded_isNotRenewed() throws Exception {
        for (boolean published : List.of(true, false)) {
            Slot.Grant<String> ended = claim("key").grant();
            if (published) {
                ended.publish(draft("value"));
            } else {
                ended.abandon(null);
            }
            if (time instanceof FakeTime) {
                letPass(time, lease()); // for who renews by itself
            }
            assertEquals(!keeps(), ended.renew());
            Slot.Claim<String> next = claim("key");
            assertEquals(Slot.Claim.Kind.GRANTED, next.kind(), "the right is held, though it was given back");
            assertEquals(!keeps(), ended.renew());
            assertTrue(next.grant().renew());
            next.grant().abandon(null);
        }
    }

    @Test
    void whoIsRefusedAndWatches_isTold() throws Exception {
        for (boolean published : List.of(true, false)) {
            Semaphore told = new Semaphore(0);
            Slot.Seen<String> before = read("key");
            Slot.Grant<String> right = before.claim(wish()).grant();
            try (Slot.Watch watch = partition.slot("key").watch(changed -> told.release())) {
                if (traits().contains(Trait.TELLS)) {
                    awaitLive(watch);
                    Slot.Claim.Kind kind = before.claim(wish()).kind();
                    assertEquals(Slot.Claim.Kind.HELD, kind, "TELLS needs EXCLUSIVE: it is for who is refused");
                    told.drainPermits();
                } else {
                    assertFalse(watch.live(), "a watch that is live tells, which is the trait TELLS");
                }
                if (published) {
                    right.publish(draft("value"));
                } else {
                    right.abandon(null);
                }
                assertTrue(
                        !traits().contains(Trait.TELLS)
                                || told.tryAcquire(patience().toNanos(), TimeUnit.NANOSECONDS),
                        "registered too late, or not at all");
            }
        }
    }

    private void awaitLive(Slot.Watch watch) {
        long start = System.nanoTime();
        while (!watch.live()) {
            assertTrue(System.nanoTime() - start < patience().toNanos(), "never live");
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void put_voidsARightGrantedBefore() throws Exception {
        Slot.Grant<String> right = claim("key").grant();
        partition.put("key", draft("put"));
        Slot.Published<String> published = assertRefused(right, "created");
        assertHolds("key", "put");
        if (keeps() && published.outcome() == Slot.Published.Outcome.SUPERSEDED) {
            assertEquals("put", published.seen().value());
        }
    }

    @Test
    void putAll_voidsARightGrantedBefore() throws Exception {
        Slot.Grant<String> right = claim("key").grant();
        partition.putAll(Map.of("key", draft("put"), "other", draft("put")));
        assertRefused(right, "created");
        assertHolds("key", "put");
    }

    @Test
    void invalidation_voidsARightGrantedBefore() throws Exception {
        for (Invalidation how : Invalidation.values()) {
            String cold = "key " + how; // of which nothing is there to be compared with
            Slot.Grant<String> right = claim(cold).grant();
            partition.invalidate(cold, how);
            assertVoided(right);
            assertGone(cold);
        }
    }

    @Test
    void invalidationOfSeveral_voidsRightsGrantedBefore() throws Exception {
        for (Invalidation how : Invalidation.values()) {
            String cold = "key " + how;
            Slot.Grant<String> right = claim(cold).grant();
            partition.invalidateAll(List.of(cold, "other"), how);
            assertVoided(right);
            assertGone(cold);
        }
    }

    @Test
    void invalidationOfAll_voidsRightsGrantedBefore() throws Exception {
        for (Invalidation how : Invalidation.values()) {
            Slot.Grant<String> right = claim("key").grant();
            partition.invalidateAll(how);
            assertVoided(right);
            assertGone("key");
            claim("key").grant().publish(draft("after"));
            assertHolds("key", "after");
            partition.invalidate("key", Invalidation.HARD);
        }
    }

    @Test
    void invalidationOfAnotherKey_voidsNothing() throws Exception {
        Slot.Grant<String> right = claim("key").grant();
        partition.invalidate("other", Invalidation.HARD);
        partition.put("another", draft("put"));
        assertTrue(right.renew());
        assertEquals(
                Slot.Published.Outcome.STORED, right.publish(draft("value")).outcome());
        assertHolds("key", "value");
    }

    @Test
    void draftNotToBeKept_isHandedOn_andNotStored() throws Exception {
        Slot.Published<String> published = claim("key").grant().publish(notKept("value"));
        assertEquals(Slot.Published.Outcome.STORED, published.outcome());
        assertGone("key");
        Slot.Claim<String> next = claim("key");
        assertEquals(Slot.Claim.Kind.GRANTED, next.kind());
        next.grant().abandon(null);
    }

    @Test
    void draftNotToBeKept_isRefused_whereTheRightIsLost() throws Exception {
        Slot.Grant<String> right = claim("key").grant();
        partition.invalidate("key", Invalidation.HARD);
        Slot.Published<String> published = right.publish(notKept("value"));
        assertEquals(keeps() ? Slot.Published.Outcome.VOIDED : Slot.Published.Outcome.STORED, published.outcome());
    }

    // Several keys

    @Test
    @Tag("D-006")
    @Tag("D-023")
    void readAll_answersForEachKey() throws Exception {
        List<Object> keys = List.of("1", "2", "3", "4", "5", "6");
        assertEquals(Map.of(), partition.readAll(List.of()));
        assertEquals(
                new LinkedHashSet<>(keys.subList(0, 3)),
                partition.readAll(keys.subList(0, 3)).keySet());
        partition.putAll(Map.of("1", draft("one"), "3", draft(null), "5", draft("five")));
        Map<Object, Slot.Seen<String>> seen = partition.readAll(keys);
        assertEquals(new LinkedHashSet<>(keys), seen.keySet());
        for (Object key : keys) {
            assertEquals(
                    keeps() && List.of("1", "3", "5").contains(key),
                    seen.get(key).present(),
                    "key " + key);
        }
        assertEquals(keeps() ? "one" : null, seen.get("1").value());
        assertNull(seen.get("3").value());
        assertEquals(keeps() ? "five" : null, seen.get("5").value());
    }

    @Test
    @Tag("D-006")
    void putAll_storesAll() throws Exception {
        Map<Object, Slot.Draft<String>> drafts = new LinkedHashMap<>();
        for (int i = 0; i < 50; i++) {
            drafts.put("key" + i, draft("value" + i));
        }
        partition.putAll(drafts);
        for (int i = 0; i < 50; i++) {
            assertHolds("key" + i, "value" + i);
        }
    }

    @Test
    @Tag("D-006")
    void invalidationOfSeveral_leavesTheOthers() throws Exception {
        for (Invalidation how : Invalidation.values()) {
            partition.putAll(Map.of("1", draft("one"), "2", draft("two"), "3", draft("three")));
            partition.invalidateAll(List.of("1", "2", "never put"), how);
            if (how == Invalidation.SOFT) {
                assertStale("1", "one");
                assertStale("2", "two");
            } else {
                assertGone("1");
                assertGone("2");
            }
            assertGone("never put");
            assertHolds("3", "three");
        }
    }

    @Test
    void claimAll_grantsEach_andTheRightsPublishTogether() throws Exception {
        partition.put("stale", draft("old"));
        partition.invalidate("stale", Invalidation.SOFT);
        List<Object> keys = List.of("stale", "absent", "left out");
        Slots.Grants<Object, String> rights = claimedTogether(keys);
        assertFalse(rights.lease().isNegative());
        assertEquals(Set.of(), rights.renewAll());
        Map<Object, Slot.Published<String>> published =
                rights.publishAll(Map.of("stale", draft("new"), "absent", draft("first")));
        assertEquals(Set.of("stale", "absent"), published.keySet());
        published.values().forEach(one -> assertEquals(Slot.Published.Outcome.STORED, one.outcome()));
        assertHolds("stale", "new");
        assertHolds("absent", "first");
        assertGone("left out");
        claim("left out").grant().publish(draft("free"));
        assertHolds("left out", "free");
    }

    @Test
    void claimAll_showsWhatWasStoredSince_orLooksNot() throws Exception {
        Map<Object, Slots.Asked<String>> asked = asked(List.of("1", "2"));
        partition.put("1", draft("since"));
        Map<Object, Slot.Claim<String>> claims = partition.claimAll(asked);
        assertEquals(Set.of("1", "2"), claims.keySet());
        Slot.Seen<String> seen = claims.get("1").seen();
        if (keeps() && seen != null) {
            assertEquals("since", seen.value());
        }
        for (Slot.Claim<String> claim : claims.values()) {
            if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                claim.grant().abandon(null);
            }
        }
    }

    @Test
    void rightsOfABatch_areVoidedOneByOne() throws Exception {
        Slots.Grants<Object, String> rights = claimedTogether(List.of("1", "2", "3"));
        partition.invalidate("1", Invalidation.HARD);
        partition.put("2", draft("put"));
        assertEquals(keeps() ? Set.of("1", "2") : Set.of(), rights.renewAll());
        Map<Object, Slot.Published<String>> published =
                rights.publishAll(Map.of("1", draft("one"), "2", draft("two"), "3", draft("three")));
        assertEquals(
                keeps() ? Slot.Published.Outcome.VOIDED : Slot.Published.Outcome.STORED,
                published.get("1").outcome());
        assertEquals(!keeps(), published.get("2").outcome() == Slot.Published.Outcome.STORED, "the put came later");
        assertEquals(Slot.Published.Outcome.STORED, published.get("3").outcome());
        assertGone("1");
        assertHolds("2", "put");
        assertHolds("3", "three");
    }

    @Test
    void rightsOfABatch_areGivenBackTogether() throws Exception {
        claimedTogether(List.of("1", "2")).abandonAll(new IllegalStateException("the creator failed"));
        for (String key : List.of("1", "2")) {
            assertGone(key);
            claim(key).grant().publish(draft("next"));
            assertHolds(key, "next");
        }
    }

    // The region

    @Test
    @Tag("C-118")
    void softInvalidationOfAll_leavesAllStale() throws Exception {
        partition.putAll(Map.of("1", draft("one"), "2", draft("two")));
        partition.invalidateAll(Invalidation.SOFT);
        assertStale("1", "one");
        assertStale("2", "two");
        partition.put("1", draft("again"));
        assertHolds("1", "again");
        assertStale("2", "two");
        assertGone("3");
    }

    @Test
    @Tag("C-118")
    void hardInvalidationOfAll_leavesNothing() throws Exception {
        partition.putAll(Map.of("1", draft("one"), "2", draft("two")));
        read("1");
        partition.invalidateAll(Invalidation.HARD);
        assertGone("1");
        assertGone("2");
        partition.invalidateAll(Invalidation.HARD);
        partition.put("1", draft("again"));
        assertHolds("1", "again");
    }

    @Test
    void softInvalidationOfAllAfterHard_revivesNothing() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidateAll(Invalidation.HARD);
        partition.invalidateAll(Invalidation.SOFT);
        assertGone("key");
    }

    @Test
    void hardInvalidationOfAllAfterSoft_leavesNothing() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidateAll(Invalidation.SOFT);
        partition.invalidateAll(Invalidation.HARD);
        assertGone("key");
    }

    @Test
    void softInvalidationOfAKey_doesNotReviveWhatTheRegionInvalidatedHard() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidateAll(Invalidation.HARD);
        partition.invalidate("key", Invalidation.SOFT);
        assertGone("key");
    }

    @Test
    void valueInvalidatedSoftlyByTheRegionAndByKey_isStale() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidateAll(Invalidation.SOFT);
        partition.invalidate("key", Invalidation.SOFT);
        assertStale("key", "value");
    }

    @Test
    void regions_doNotTouchEachOther() throws Exception {
        Partition<String> other = open(backend, region + "-other", Serializer.string());
        partition.put("key", draft("one"));
        other.put("key", draft("two"));
        assertHolds("key", "one");
        partition.invalidateAll(Invalidation.HARD);
        assertEquals(keeps() ? "two" : null, other.slot("key").read().value());
        Slot.Grant<String> right = claim("key").grant();
        other.invalidateAll(Invalidation.HARD);
        assertTrue(right.renew());
        assertEquals(
                Slot.Published.Outcome.STORED, right.publish(draft("still")).outcome());
        assertHolds("key", "still");
    }

    @Test
    void restart_keepsWhatIsPersistent() throws Exception {
        partition.put("key", draft("value"));
        partition.put("null", draft(null));
        partition.put("stale", draft("old"));
        partition.invalidate("stale", Invalidation.SOFT);
        partition.put("gone", draft("gone"));
        partition.invalidate("gone", Invalidation.HARD);
        partition.close();
        partition = open(restarted(backend), region, Serializer.string());
        if (traits().contains(Trait.PERSISTENT)) {
            assertHolds("key", "value");
            assertTrue(read("null").present());
            assertStale("stale", "old");
        } else {
            assertGone("key");
            assertFalse(read("null").present());
            assertGone("stale");
        }
        assertGone("gone");
    }

    @Test
    void restart_revivesNothingThatWasInvalidatedWithItsRegion() throws Exception {
        partition.put("key", draft("value"));
        partition.invalidateAll(Invalidation.HARD);
        partition.close();
        partition = open(restarted(backend), region, Serializer.string());
        assertGone("key");
    }

    @Test
    void close_twice_isHarmless() {
        partition.close();
        partition.close();
    }

    @Test
    void watches_canBeClosed() {
        partition.slot("key").watch(seen -> {}).close();
        partition.watchAll(text -> {}).close();
    }

    // Many threads

    @Test
    @Tag("D-019")
    void manyThreads_neverSeeATornOrForeignValue() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            CyclicBarrier start = new CyclicBarrier(THREADS);
            List<Future<?>> tasks = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                int number = thread;
                tasks.add(threads.submit(() -> {
                    start.await();
                    for (int round = 0; round < ROUNDS; round++) {
                        oneRound(number, round);
                    }
                    return null;
                }));
            }
            for (Future<?> task : tasks) {
                task.get(2, TimeUnit.MINUTES);
            }
        } finally {
            threads.shutdownNow();
        }
        partition.invalidateAll(Invalidation.HARD);
        for (int key = 0; key < THREADS / 2; key++) {
            assertGone("key" + key);
        }
    }

    private void oneRound(int thread, int round) throws Exception {
        String key = "key" + (thread + round) % (THREADS / 2);
        String value = (key + ' ' + thread + ' ' + round + ';').repeat(1 + round % 7);
        switch (round % 5) {
            case 0 -> partition.put(key, draft(value));
            case 1 -> {
                Slot.Claim<String> claim = claim(key);
                if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                    claim.grant().publish(draft(value));
                }
            }
            case 2 -> partition.putAll(Map.of(key, draft(value)));
            default -> {}
        }
        assertOf(key, read(key));
        Slot.Seen<String> looked = partition.look(key);
        if (looked != null) {
            assertOf(key, looked);
        }
        if (round % 50 == 49) {
            partition.invalidate(key, round % 100 == 99 ? Invalidation.HARD : Invalidation.SOFT);
        }
    }

    private static void assertOf(String key, Slot.Seen<String> seen) {
        String value = seen.value();
        if (!seen.present()) {
            assertNull(value);
            return;
        }
        String[] parts = value.split(";", -1);
        for (int i = 0; i < parts.length - 1; i++) {
            assertEquals(parts[0], parts[i], value);
        }
        assertTrue(parts[0].startsWith(key + ' '), () -> key + " holds " + value);
        assertEquals("", parts[parts.length - 1], value);
    }

    // Words of this suite

    private static Slot.Draft<String> draft(String value) {
        return new Slot.Draft<>(value, FRESH, USABLE, COST, true);
    }

    private static Slot.Draft<String> notKept(String value) {
        return new Slot.Draft<>(value, FRESH, USABLE, COST, false);
    }

    private static Slot.Wish wish() {
        return new Slot.Wish(Slot.Wish.Reason.REFRESH, Slot.NEVER, true, false);
    }

    private Slot.Seen<String> read(Object key) throws Exception {
        return partition.slot(key).read();
    }

    private Slot.Claim<String> claim(String key) throws Exception {
        return read(key).claim(wish());
    }

    private Map<Object, Slots.Asked<String>> asked(List<Object> keys) throws Exception {
        return partition.readAll(keys).entrySet().stream()
                .collect(toMap(Map.Entry::getKey, each -> new Slots.Asked<>(each.getValue(), wish())));
    }

    private Slots.Grants<Object, String> claimedTogether(List<Object> keys) throws Exception {
        Map<Object, Slot.Claim<String>> claims = partition.claimAll(asked(keys));
        assertEquals(new LinkedHashSet<>(keys), claims.keySet());
        claims.values().forEach(claim -> assertEquals(Slot.Claim.Kind.GRANTED, claim.kind()));
        return partition.together(claims.entrySet().stream()
                .collect(toMap(Map.Entry::getKey, each -> each.getValue().grant())));
    }

    private void assertHolds(Object key, String value) throws Exception {
        if (!keeps()) {
            assertGone(key);
            return;
        }
        Slot.Seen<String> seen = read(key);
        assertTrue(seen.present(), () -> "nothing at " + key);
        assertEquals(value, seen.value());
        assertTrue(seen.fresh(time.nanos()), () -> "not fresh: " + key);
        assertTrue(seen.usable(time.nanos()));
        Slot.Seen<String> looked = partition.look(key);
        if (looked != null && looked.fresh(time.nanos())) {
            assertEquals(value, looked.value());
        }
        assertEquals(value, partition.readAll(List.of(key)).get(key).value());
    }

    private void assertStale(Object key, String value) throws Exception {
        if (!keeps()) {
            assertGone(key);
            return;
        }
        Slot.Seen<String> seen = read(key);
        assertTrue(seen.present(), () -> "nothing at " + key);
        assertEquals(value, seen.value());
        assertFalse(seen.fresh(time.nanos()), () -> "fresh: " + key);
        assertTrue(seen.usable(time.nanos()), () -> "expired: " + key);
        Slot.Seen<String> looked = partition.look(key);
        assertTrue(looked == null || !looked.fresh(time.nanos()), () -> "fresh to a look: " + key);
        assertFalse(partition.readAll(List.of(key)).get(key).fresh(time.nanos()));
    }

    private void assertGone(Object key) throws Exception {
        assertFalse(read(key).usable(time.nanos()), () -> "still there: " + key);
        Slot.Seen<String> looked = partition.look(key);
        assertTrue(looked == null || !looked.usable(time.nanos()), () -> "still there to a look: " + key);
        assertFalse(partition.readAll(List.of(key)).get(key).usable(time.nanos()));
    }

    /** A right that is lost stores nothing; one to store nothing cannot be lost. */
    private Slot.Published<String> assertRefused(Slot.Grant<String> right, String value) throws Exception {
        Slot.Published<String> published = right.publish(draft(value));
        if (keeps()) {
            assertTrue(
                    published.outcome() == Slot.Published.Outcome.VOIDED
                            || published.outcome() == Slot.Published.Outcome.SUPERSEDED,
                    () -> "published by a right that was lost: " + published.outcome());
        }
        return published;
    }

    private void assertVoided(Slot.Grant<String> right) throws Exception {
        assertEquals(!keeps(), right.renew());
        Slot.Published<String> published = right.publish(draft("created"));
        assertEquals(keeps() ? Slot.Published.Outcome.VOIDED : Slot.Published.Outcome.STORED, published.outcome());
    }

    private static void assertWithin(long least, long most, long value) {
        assertTrue(least <= value && value <= most, () -> value + " is not within " + least + " and " + most);
    }
}
