package io.dogpile.cache.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.SeededStore.Mistake;
import io.dogpile.cache.testing.BackendContract;
import io.dogpile.cache.testing.FaultyBackend;
import io.dogpile.cache.testing.FaultyBackend.Fault;
import io.dogpile.cache.testing.FaultyBackend.Met;
import io.dogpile.cache.testing.FaultyBackend.Verb;
import io.dogpile.core.Slot;
import io.dogpile.core.Slot.Claim.Kind;
import io.dogpile.core.Slot.Published.Outcome;
import io.dogpile.core.Slots;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Two processes on one store, and what lies between. */
class FaultyBackendTest {
    private static final Duration LEASE = Duration.ofSeconds(5); // of an opening

    private final Openings openings = new Openings();
    private final Callers callers = new Callers();
    private FaultyBackend one;
    private FaultyBackend other;

    @AfterEach
    void endCallers() {
        callers.close();
    }

    private void on(Mistake mistake) {
        SeededStore store = new SeededStore(mistake);
        one = FaultyBackend.before(store);
        other = FaultyBackend.before(store);
    }

    private Partition<String> open(Backend backend) {
        return backend.open(openings.of(null));
    }

    private Region<String, String> region(Backend backend) {
        return Region.<String, String>builder("users")
                .backend(backend)
                .clock(openings.time)
                .build();
    }

    @Nested
    class WithoutFaults extends BackendContract {
        @Override
        protected Backend backend() {
            return FaultyBackend.before(MemoryBackend.create());
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of();
        }
    }

    @Nested
    class WithoutFaultsBeforeAStoreWithRights extends BackendContract {
        @Override
        protected Backend backend() {
            return FaultyBackend.before(new SeededStore(Mistake.NONE));
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT, Trait.EXCLUSIVE, Trait.TELLS);
        }
    }

    @Nested
    class Faults {
        private Partition<String> partition;
        private Partition<String> elsewhere;

        private void openBoth() {
            on(Mistake.NONE);
            partition = open(one);
            elsewhere = open(other);
        }

        private Optional<String> stored() throws Exception {
            Slot.Seen<String> seen = Openings.read(elsewhere, "key");
            return seen.present() ? Optional.of(seen.value()) : Optional.empty();
        }

        @Test
        void droppedRequest_isNotDone_andFails() throws Exception {
            openBoth();
            one.script(Verb.PUT, Fault.DROP);
            IOException failure = assertThrows(IOException.class, () -> partition.put("key", Openings.draft("lost")));
            assertEquals("the PUT of 'key' was dropped", failure.getMessage());
            assertEquals(Optional.empty(), stored());
            partition.put("key", Openings.draft("next"));
            assertEquals(Optional.of("next"), stored());
        }

        @Test
        void lostReply_isOfWhatWasDone() throws Exception {
            openBoth();
            one.script(Verb.PUBLISH, Fault.LOSE_REPLY);
            Slot.Grant<String> right = Openings.claim(partition, "key").grant();
            assertThrows(IOException.class, () -> right.publish(Openings.draft("value")));
            assertEquals(Optional.of("value"), stored());
        }

        @Test
        void duplicate_isDoneTwice_andTheFirstAnswers() throws Exception {
            openBoth();
            one.script(Verb.PUBLISH, Fault.DUPLICATE).script(Verb.PUT, Fault.DUPLICATE);
            Slot.Grant<String> right = Openings.claim(partition, "key").grant();
            assertEquals(Outcome.STORED, right.publish(Openings.draft("value")).outcome());
            long version = Openings.read(elsewhere, "key").version();
            partition.put("key", Openings.draft("put"));
            assertEquals(version + 2, Openings.read(elsewhere, "key").version());
        }

        @Test
        void delayedRequest_isDoneWhenItIsLetGo() throws Exception {
            openBoth();
            one.script(Verb.PUT, Fault.DELAY);
            var caller = callers.start(() -> {
                partition.put("key", Openings.draft("late"));
                return "done";
            });
            one.awaitDelayed(1);
            assertEquals(Optional.empty(), stored());
            elsewhere.put("key", Openings.draft("meanwhile"));
            one.letGo();
            assertEquals("done", caller.result());
            assertEquals(Optional.of("late"), stored());
        }

        @Test
        void delayedReply_isOfWhatWasDoneAtOnce() throws Exception {
            openBoth();
            one.script(Verb.PUT, Fault.DELAY_REPLY);
            var caller = callers.start(() -> {
                partition.put("key", Openings.draft("early"));
                return "done";
            });
            one.awaitDelayed(1);
            assertEquals(Optional.of("early"), stored());
            assertFalse(caller.isDone());
            one.letGo();
            assertEquals("done", caller.result());
        }

        @Test
        void crashAfterAWrite_leavesTheWrite_andEndsTheProcess_untilItIsThereAgain() throws Exception {
            openBoth();
            one.script(Verb.PUBLISH, Fault.CRASH);
            Slot.Grant<String> right = Openings.claim(partition, "key").grant();
            assertThrows(IOException.class, () -> right.publish(Openings.draft("value")));
            assertEquals(Optional.of("value"), stored());
            assertThrows(IOException.class, () -> Openings.read(partition, "key"));
            one.restart();
            assertEquals("value", Openings.read(partition, "key").value());
        }

        @Test
        void crashedProcess_keepsNothingAlive_andItsDelayedRequestsAreNotDone() throws Exception {
            openBoth();
            one.script(Verb.PUT, Fault.DELAY);
            Slot.Grant<String> right = Openings.claim(partition, "other").grant();
            var caller = callers.start(() -> {
                partition.put("key", Openings.draft("late"));
                return "done";
            });
            one.awaitDelayed(1);
            one.crash();
            assertTrue(caller.failure().getMessage().contains("as its process died"));
            assertThrows(IOException.class, right::renew);
            assertThrows(IOException.class, () -> right.abandon(null));
            assertEquals(Optional.empty(), stored());
        }

        @Test
        void rightsOfABatch_areOneRequest() throws Exception {
            openBoth();
            Map<Object, Slot.Seen<String>> seen = partition.readAll(List.of("a", "b"));
            one.script(Verb.CLAIM, Fault.NONE).script(Verb.PUBLISH, Fault.DROP);
            Map<Object, Slot.Claim<String>> claims = partition.claimAll(Map.of(
                    "a", new Slots.Asked<>(seen.get("a"), Openings.wish()),
                    "b", new Slots.Asked<>(seen.get("b"), Openings.wish())));
            Slots.Grants<Object, String> rights = partition.together(
                    Map.of("a", claims.get("a").grant(), "b", claims.get("b").grant()));
            assertEquals(Set.of(), rights.renewAll());
            assertThrows(IOException.class, () -> rights.publishAll(Map.of("a", Openings.draft("1"))));
            rights.abandonAll(null);
            assertEquals(
                    List.of(
                            new Met(Verb.READ, List.of("a", "b"), Fault.NONE),
                            new Met(Verb.CLAIM, Set.of("a", "b"), Fault.NONE),
                            new Met(Verb.RENEW, Set.of("a", "b"), Fault.NONE),
                            new Met(Verb.PUBLISH, Set.of("a", "b"), Fault.DROP),
                            new Met(Verb.ABANDON, Set.of("a", "b"), Fault.NONE)),
                    one.met());
        }

        @Test
        void pushes_areDropped_doubled_delayed_andCeaseWithTheProcess() throws Exception {
            openBoth();
            List<String> told = new ArrayList<>();
            Consumer<Slot.Seen<String>> watcher = seen -> told.add(seen == null ? "look" : seen.value());
            try (Slot.Watch watch = partition.slot("key").watch(watcher)) {
                one.script(Verb.PUSH, Fault.DROP, Fault.DUPLICATE, Fault.DELAY);
                for (String value : List.of("dropped", "doubled", "delayed")) {
                    elsewhere.put("key", Openings.draft(value));
                }
                assertEquals(List.of("doubled", "doubled"), told);
                one.awaitDelayed(1);
                one.letGo();
                assertEquals(List.of("doubled", "doubled", "delayed"), told);
                assertTrue(watch.live());
                one.crash();
                elsewhere.put("key", Openings.draft("unheard"));
                assertEquals(3, told.size());
                assertFalse(watch.live());
            }
        }

        @Test
        void sameSeed_drawsTheSameFaults_andFailuresNameIt() throws Exception {
            List<List<Met>> runs = new ArrayList<>();
            for (long seed : List.of(7L, 7L, 8L)) {
                openBoth();
                one.byChance(seed, 2, Fault.DROP, Fault.DUPLICATE, Fault.LOSE_REPLY);
                String failures = "";
                for (int round = 0; round < 40; round++) {
                    try {
                        partition.put("key", Openings.draft("value " + round));
                    } catch (IOException failure) {
                        failures += failure.getMessage();
                    }
                }
                assertTrue(failures.contains("seed " + seed), failures);
                runs.add(one.met());
            }
            assertEquals(runs.get(0), runs.get(1));
            assertNotEquals(runs.get(0), runs.get(2));
            assertEquals(
                    EnumSet.of(Fault.NONE, Fault.DROP, Fault.DUPLICATE, Fault.LOSE_REPLY),
                    EnumSet.copyOf(runs.get(0).stream().map(Met::fault).toList()));
        }

        @Test
        void healed_meetsNoFault() throws Exception {
            openBoth();
            one.always(Fault.DROP, Verb.READ, Verb.PUT)
                    .byChance(1, 1, Fault.DROP)
                    .script(Verb.PUT, Fault.DROP);
            assertThrows(IOException.class, () -> Openings.read(partition, "key"));
            assertThrows(IOException.class, () -> partition.invalidate("key", Invalidation.HARD));
            one.heal();
            partition.put("key", Openings.draft("value"));
            assertEquals("value", Openings.read(partition, "key").value());
        }

        @Test
        void whatCannotBe_isRefused() {
            openBoth();
            assertThrows(IllegalArgumentException.class, () -> one.script(Verb.PUSH, Fault.LOSE_REPLY));
            assertThrows(IllegalArgumentException.class, () -> one.always(Fault.CRASH, Verb.PUSH));
            assertThrows(IllegalArgumentException.class, () -> one.byChance(1, 2, Fault.DELAY));
            assertThrows(IllegalArgumentException.class, () -> one.byChance(1, 2));
            assertThrows(IllegalArgumentException.class, () -> one.byChance(1, 0, Fault.DROP));
        }
    }

    /** What a region's callers see of it. */
    @Nested
    class Regions {
        @Test
        void storeThatIsDown_costsTheStoring_andNotTheValue() {
            on(Mistake.NONE);
            Region<String, String> users = region(one);
            one.always(Fault.DROP, Verb.READ, Verb.CLAIM, Verb.PUBLISH);
            assertEquals("created", users.getOrCreate("key", key -> "created"));
            one.heal();
            assertEquals(Optional.empty(), users.get("key"));
        }

        @Test
        void lostReplyOfAPublication_costsNothing() {
            on(Mistake.NONE);
            Region<String, String> users = region(one);
            one.script(Verb.PUBLISH, Fault.LOSE_REPLY);
            assertEquals("created", users.getOrCreate("key", key -> "created"));
            assertEquals("created", region(other).getOrCreate("key", key -> "never"));
        }

        @Test
        void processThatDies_leavesItsRightInTheStore() throws Exception {
            on(Mistake.NONE);
            one.script(Verb.CLAIM, Fault.CRASH);
            assertThrows(IOException.class, () -> Openings.claim(open(one), "key"));
            assertEquals(Kind.HELD, Openings.claim(open(other), "key").kind());
        }
    }

    /** Each mistake that a store can make leads to harm that the kit shows; a sound store shows none. */
    @Nested
    class Mistakes {
        @Test
        void ownerCheck() throws Exception {
            assertSoundBut(Mistake.OWNER_CHECK, () -> {
                Partition<String> first = open(one);
                Slot.Grant<String> late = Openings.claim(first, "key").grant();
                one.script(Verb.ABANDON, Fault.DELAY);
                var leaving = callers.start(() -> {
                    late.abandon(null);
                    return "left";
                });
                one.awaitDelayed(1);
                Partition<String> second = open(other);
                second.invalidate("key", Invalidation.HARD);
                Openings.claim(second, "key").grant();
                one.letGo();
                leaving.result();
                return Openings.claim(second, "key").kind() == Kind.HELD;
            });
        }

        @Test
        void renewalCancel() throws Exception {
            assertSoundBut(Mistake.RENEWAL_CANCEL, () -> {
                Openings.claim(open(one), "key").grant().publish(Openings.draft("value"));
                openings.time.advance(LEASE);
                return Openings.claim(open(other), "key").kind() == Kind.GRANTED;
            });
        }

        @Test
        void secondLook() throws Exception {
            assertSoundBut(Mistake.SECOND_LOOK, () -> {
                Region<String, String> slow = region(one);
                Region<String, String> fast = region(other);
                one.script(Verb.CLAIM, Fault.DELAY);
                Held<String> creator = new Held<>("created again");
                creator.letGo();
                var caller = callers.start(() -> slow.getOrCreate("key", creator));
                one.awaitDelayed(1);
                assertEquals("created", fast.getOrCreate("key", key -> "created"));
                one.letGo();
                caller.result();
                return creator.calls() == 0;
            });
        }

        @Test
        void lateRegistration() throws Exception {
            assertSoundBut(Mistake.LATE_REGISTRATION, () -> {
                Region<String, String> holding = region(one);
                Region<String, String> waiting = region(other);
                Held<String> creator = new Held<>("created");
                var holder = callers.start(() -> holding.getOrCreate("key", creator));
                creator.awaitBegun();
                other.script(Verb.CLAIM, Fault.DELAY_REPLY);
                var waiter = callers.start(() -> waiting.getOrCreate("key", key -> "never"));
                other.awaitDelayed(1);
                creator.letGo();
                holder.result();
                boolean told = other.count(Verb.PUSH) > 0;
                other.letGo();
                if (told) {
                    assertEquals("created", waiter.result());
                }
                return told;
            });
        }

        @Test
        void nonce() throws Exception {
            assertSoundBut(Mistake.NONCE, () -> {
                Region<String, String> slow = region(one);
                one.script(Verb.PUBLISH, Fault.DELAY);
                var caller = callers.start(() -> slow.getOrCreate("key", key -> "old"));
                one.awaitDelayed(1);
                Region<String, String> here = region(other);
                here.invalidate("key");
                one.letGo();
                caller.result();
                return here.peek("key").isEmpty();
            });
        }

        private interface Scenario {
            boolean isSound() throws Exception;
        }

        private void assertSoundBut(Mistake mistake, Scenario scenario) throws Exception {
            for (Mistake each : Mistake.values()) {
                on(each);
                assertEquals(each != mistake, scenario.isSound(), "a store with the mistake " + each);
            }
        }
    }
}
