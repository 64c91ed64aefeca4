package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What is slow for one key stops no other: its creator, and all else of the user's that is called for it, is parked, and
 * meanwhile each call for other keys must return. All keys fall into one bin of any hash table.
 */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionNeighboursTest {
    private static final Key SLOW = new Key(0);
    private static final List<Key> OTHERS =
            IntStream.rangeClosed(1, 100).mapToObj(Key::new).toList();

    private final Callers callers = new Callers();
    private final Held<String> held = new Held<>("slow");

    @AfterEach
    void endCallers() throws InterruptedException {
        held.letGo();
        callers.close();
    }

    private record Key(int number) {
        @Override
        public int hashCode() {
            return 7;
        }
    }

    private static RegionBuilder<Key, String> builder() {
        return Region.builder("crowded");
    }

    private static Map<Key, String> made(Iterable<Key> keys) {
        Map<Key, String> made = new LinkedHashMap<>();
        keys.forEach(key -> made.put(key, "" + key.number()));
        return made;
    }

    /** Each verb of the region, for each other key, by a thread that must end. */
    private void assertOthersGoOn(Region<Key, String> region) {
        callers.start(() -> {
                    for (Key key : OTHERS) {
                        String value = "" + key.number();
                        assertEquals(value, region.getOrCreate(key, k -> value));
                        assertEquals(value, region.getOrCreate(key, k -> "another"));
                        assertEquals(Optional.of(value), region.get(key));
                        assertEquals(value, region.refresh(key, k -> value));
                        assertTrue(region.peek(key).isPresent());
                        assertFalse(region.isCreating(key));
                        region.put(key, value);
                        region.invalidate(key, Invalidation.SOFT);
                        assertEquals(value, region.getOrCreate(key, k -> value));
                        region.invalidate(key);
                    }
                    assertEquals(made(OTHERS), region.getOrCreateAll(OTHERS, RegionNeighboursTest::made));
                    assertEquals(made(OTHERS), region.getAll(OTHERS));
                    assertEquals(made(OTHERS), region.refreshAll(OTHERS, RegionNeighboursTest::made));
                    region.invalidateAll(OTHERS);
                    region.putAll(made(OTHERS));
                    assertEquals(OTHERS.size(), region.peekAll(OTHERS).size());
                    return null;
                })
                .result();
    }

    @Nested
    class ASlowCreator {
        private void parkedIn(Region<Key, String> region) throws Exception {
            Callers.Caller<String> slow = callers.start(() -> region.getOrCreate(SLOW, held));
            held.awaitBegun();
            assertOthersGoOn(region);
            assertTrue(region.isCreating(SLOW));
            assertFalse(slow.isDone());
            held.letGo();
            assertEquals("slow", slow.result());
            assertEquals(Optional.of("slow"), region.get(SLOW));
        }

        @Test
        void inMemory() throws Exception {
            parkedIn(builder().build());
        }

        @Test
        void onTheUsersMap() throws Exception {
            parkedIn(builder()
                    .backend(MemoryBackend.on(new ConcurrentHashMap<>()))
                    .build());
        }

        @Test
        void asBytes() throws Exception {
            parkedIn(builder().serializer(Serializer.string()).build());
        }

        @Test
        void withTextsForKeys() throws Exception {
            parkedIn(builder().keys(key -> "key " + key.number()).build());
        }

        @Test
        void overAStoreElsewhere() throws Exception {
            parkedIn(builder().backend(new SpyBackend()).build());
        }

        @Test
        void whoseKeyManyWaitFor() throws Exception {
            Region<Key, String> region = builder().build();
            callers.start(() -> region.getOrCreate(SLOW, held));
            held.awaitBegun();
            List<Callers.Caller<String>> waiting = callers.start(16, () -> region.getOrCreate(SLOW, k -> "never"));
            Callers.awaitWaiting(waiting);
            assertOthersGoOn(region);
            held.letGo();
            waiting.forEach(one -> assertEquals("slow", one.result()));
        }

        @Test
        void inAnExecutor() throws Exception {
            HandDriven executor = new HandDriven();
            Region<Key, String> region = builder().build();
            region.put(SLOW, "old");
            region.invalidate(SLOW, Invalidation.SOFT);
            assertEquals("old", region.with(o -> o.refreshOn(executor)).getOrCreate(SLOW, held));
            callers.start(() -> {
                executor.runAll();
                return null;
            });
            held.awaitBegun();
            assertOthersGoOn(region);
        }

        @Test
        void whoseStageIsNotDone() {
            CompletableFuture<String> stage = new CompletableFuture<>();
            Region<Key, String> region = builder().build();
            CompletableFuture<String> slow = region.async(Runnable::run).getOrCreate(SLOW, k -> stage);
            assertOthersGoOn(region);
            assertFalse(slow.isDone());
            stage.complete("slow");
            assertEquals("slow", slow.join());
        }

        @Test
        void ofABatch() throws Exception {
            Region<Key, String> region = builder().build();
            List<Key> batch = List.of(SLOW, new Key(-1), new Key(-2));
            Callers.Caller<Map<Key, String>> slow = callers.start(() -> region.getOrCreateAll(batch, missing -> {
                held.create();
                return made(missing);
            }));
            held.awaitBegun();
            assertOthersGoOn(region);
            batch.forEach(key -> assertTrue(region.isCreating(key)));
            held.letGo();
            assertEquals(made(batch), slow.result());
        }

        @Test
        void thatABatchWaitsFor_leavesTheBatchsOwnKeysToBeReadByAll() throws Exception {
            Region<Key, String> region = builder().build();
            callers.start(() -> region.getOrCreate(SLOW, held));
            held.awaitBegun();
            List<Key> both = List.of(SLOW, new Key(-1));
            Callers.Caller<Map<Key, String>> batch =
                    callers.start(() -> region.getOrCreateAll(both, RegionNeighboursTest::made));
            Callers.awaitWaiting(List.of(batch));
            assertEquals(Optional.of("-1"), region.get(new Key(-1)));
            assertOthersGoOn(region);
            held.letGo();
            assertEquals("slow", batch.result().get(SLOW));
        }
    }

    /** All of the user's that is called for a key: it is parked for the slow one, each in its turn. */
    @Nested
    class ASlow {
        private void parkedBy(UnaryOperator<RegionBuilder<Key, String>> slowness) throws Exception {
            Region<Key, String> region = slowness.apply(builder()).build();
            Callers.Caller<String> slow = callers.start(() -> region.getOrCreate(SLOW, k -> "slow"));
            held.awaitBegun();
            assertOthersGoOn(region);
            held.letGo();
            assertEquals("slow", slow.result());
        }

        private void park(boolean whether) {
            if (whether) {
                try {
                    held.create();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        }

        @Test
        void condition() throws Exception {
            parkedBy(builder -> builder.cacheIf((key, value) -> {
                park(key.equals(SLOW));
                return true;
            }));
        }

        @Test
        void lifeComputedFromAValue() throws Exception {
            parkedBy(builder -> builder.expireAfter((key, value) -> {
                park(key.equals(SLOW));
                return null;
            }));
        }

        @Test
        void listener() throws Exception {
            parkedBy(builder -> builder.listener(new DogpileListener() {
                @Override
                public void created(Object name, Duration cost) {
                    park(name.equals(SLOW));
                }
            }));
        }

        @Test
        void serializer() throws Exception {
            Serializer<String> strings = Serializer.string();
            parkedBy(builder -> builder.serializer(new Serializer<>() {
                @Override
                public int id() {
                    return FIRST_USER_ID;
                }

                @Override
                public byte[] write(String value) throws Exception {
                    park(value.equals("slow"));
                    return strings.write(value);
                }

                @Override
                public String read(byte[] bytes) throws Exception {
                    return strings.read(bytes);
                }
            }));
        }
    }
}
