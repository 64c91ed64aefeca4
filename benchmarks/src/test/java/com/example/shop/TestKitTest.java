package com.example.shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.SerializingBackend;
import io.dogpile.cache.testing.FaultyBackend;
import io.dogpile.cache.testing.FaultyBackend.Fault;
import io.dogpile.cache.testing.FaultyBackend.Verb;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The kit in the tests of a shop, which sees what is public and nothing else. */
class TestKitTest {
    private static Region<Long, String> prices(FaultyBackend store) {
        return Region.<Long, String>builder("prices")
                .backend(store)
                .serializer(Serializer.string())
                .build();
    }

    @Test
    void fakeTime_movesOnlyByHand() {
        // docs testing
        FakeTime time = new FakeTime();
        Region<Long, String> prices = Region.<Long, String>builder("prices")
                .clock(time)
                .staleAfter(Duration.ofMinutes(1))
                .build();

        assertEquals("9.90", prices.getOrCreate(1L, id -> "9.90"));
        time.advance(Duration.ofMinutes(1)); // an age equal to the limit is still fresh
        assertEquals("9.90", prices.getOrCreate(1L, id -> "8.50"));
        time.advance(Duration.ofNanos(1));
        assertEquals("8.50", prices.getOrCreate(1L, id -> "8.50"));
        // end
    }

    @Test
    void handDriven_runsNothingBeforeItIsTold() {
        // docs testing
        FakeTime time = new FakeTime();
        HandDriven background = new HandDriven();
        Region<Long, String> prices = Region.<Long, String>builder("prices")
                .clock(time)
                .staleAfter(Duration.ofMinutes(1))
                .expireAfter(Duration.ofHours(1))
                .refreshOn(background)
                .build();

        prices.put(1L, "9.90");
        time.advance(Duration.ofMinutes(2));
        assertEquals("9.90", prices.getOrCreate(1L, id -> "8.50")); // stale, at once
        assertEquals(1, background.taken());
        background.runAll();
        assertEquals(Optional.of("8.50"), prices.get(1L));
        // end
    }

    @Test
    void held_showsWhatOthersDoMeanwhile() throws Exception {
        Region<Long, String> prices = Region.<Long, String>builder("prices").build();
        // docs testing
        try (Callers callers = new Callers()) {
            Held<String> creator = new Held<>("9.90");
            var twenty = callers.start(20, () -> prices.getOrCreate(1L, creator));
            creator.awaitBegun();
            Callers.awaitWaiting(twenty); // one creates, nineteen wait

            creator.letGo();
            twenty.forEach(caller -> assertEquals("9.90", caller.result()));
            assertEquals(1, creator.calls());
        }
        // end
    }

    @Test
    void storeThatIsDown_costsNoCallerItsValue() {
        // docs testing
        FaultyBackend store = FaultyBackend.before(SerializingBackend.of(new MapStore()));
        Region<Long, String> prices = prices(store);

        store.always(Fault.DROP, Verb.READ, Verb.CLAIM, Verb.PUBLISH);
        assertEquals("9.90", prices.getOrCreate(1L, id -> "9.90")); // the store is down, the shop is not
        store.heal();
        assertEquals(Optional.empty(), prices.get(1L));
        // end
    }

    @Test
    void valueThatAnInvalidationOvertook_isNotStored() throws Exception {
        FaultyBackend store = FaultyBackend.before(SerializingBackend.of(new MapStore()));
        Region<Long, String> prices = prices(store);
        try (Callers callers = new Callers()) {
            // docs testing
            store.script(Verb.PUBLISH, Fault.DELAY);
            var slow = callers.start(() -> prices.getOrCreate(1L, id -> "9.90"));
            store.awaitDelayed(1);
            prices.invalidate(1L);
            store.letGo();

            assertEquals("9.90", slow.result());
            assertEquals(Optional.empty(), prices.get(1L)); // what an invalidation overtook is not stored
            // end
        }
    }

    @Test
    void whatFailsByChance_costsNoCallerItsValue() {
        FaultyBackend store = FaultyBackend.before(SerializingBackend.of(new MapStore()));
        Region<Long, String> prices = prices(store);
        // docs testing
        store.byChance(42, 3, Fault.DROP, Fault.DUPLICATE, Fault.LOSE_REPLY); // one request in three, by the seed 42
        for (long id = 0; id < 100; id++) {
            String price = id + ".90";
            assertEquals(price, prices.getOrCreate(id, key -> price));
        }
        // end
        assertFalse(store.met().stream().allMatch(met -> met.fault() == Fault.NONE));
    }
}
