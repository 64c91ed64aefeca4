package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What the guide says of the lock's options is what the builders have. */
class OptionsTableTest {
    @Test
    void everyOptionOfALock_isTold_withItsDefault() throws Exception {
        DogpileLock<Object> lock = DogpileLock.create();
        Options<Object> options = lock.options();
        OptionsTable table = OptionsTable.under("lock");
        table.checkNames(DogpileLock.Builder.class);

        assertEquals(Slot.NEVER, options.staleAfter());
        assertEquals(Slot.NEVER, options.expireAfter());
        table.checkDefault("staleAfter", "for ever");
        table.checkDefault("expireAfter", "for ever");
        assertTrue(options.takesStale());
        table.checkDefault("neverStale", "off");
        table.checkDefault("softTimeout", OptionsTable.time(Duration.ofNanos(options.softTimeout())));
        assertEquals(options.maxCreation(), options.hardTimeout());
        table.checkDefault("hardTimeout", "maxCreation");
        table.checkDefault("maxCreation", OptionsTable.time(lock.maxCreation()));
        assertNull(options.refreshOn());
        table.checkDefault("refreshOn", "none");
        assertEquals(0, options.beta());
        table.checkDefault("earlyRefresh", "off");
        table.checkDefault("whenDown", options.whenDown());
        assertSame(TimeSource.system(), options.time());
        table.checkDefault("clock", "the system's");
        assertNull(OptionsTable.field(lock, "provider"));
        table.checkDefault("lock", "this JVM; " + OptionsTable.time(lock.lease()));
        assertNull(options.drafting());
        table.checkDefault("drafting", "none");
        DogpileLock.Builder<Object> builder = DogpileLock.builder();
        assertSame(DogpileListener.NONE, OptionsTable.field(builder, "listener"));
        table.checkDefault("listener", "none");
        assertNull(OptionsTable.field(builder, "seed"));
        table.checkDefault("seed", "random");
        table.checkDefault("failureBackoff", shown(Backoff.Delays.DEFAULT));
        table.checkDefault("appearsAs", OptionsTable.field(builder, "logger"));
    }

    private static String shown(Backoff.Delays delays) {
        return delays.failures() + ", " + OptionsTable.time(Duration.ofNanos(delays.first())) + ", "
                + OptionsTable.time(Duration.ofNanos(delays.longest()));
    }

    @Test
    void everyOptionOfADogpile_isTold() throws Exception {
        OptionsTable table = OptionsTable.under("dogpile");
        table.checkNames(Dogpile.Builder.class);
        assertEquals(false, OptionsTable.field(Dogpile.builder(), "initialized"));
        table.checkDefault("initialized", "off");
        table.checkDefault("staleAfter", "for ever");
        table.checkDefault("expireAfter", "for ever");
        table.checkDefault("refreshOn", "none");
        table.checkDefault("lock", "this JVM");
        table.checkDefault("options", "those of the lock");
    }
}
