package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.file.FileBackend;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.OptionsTable;
import io.dogpile.core.TimeSource;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the guide says of the options of regions and of files is what the builders have. */
class OptionsTableTest {
    private final RegionBuilder<Object, Object> builder = Region.builder("any");

    private Object kept(String field) throws ReflectiveOperationException {
        return OptionsTable.field(builder, field);
    }

    @Test
    void everyOptionOfARegion_isTold_withItsDefault() throws Exception {
        Region<Object, Object> region = builder.build();
        DogpileLock<Object> lock = region.entries().lock();
        OptionsTable table = OptionsTable.under("region");
        table.checkNames(RegionBuilder.class);

        assertSame(Lives.NEVER, kept("staleAfter"));
        assertSame(Lives.NEVER, kept("expireAfter"));
        table.checkDefault("staleAfter", "for ever");
        table.checkDefault("expireAfter", "for ever");
        assertNull(kept("cacheNullFor"));
        table.checkDefault("cacheNullFor", "as any value");
        assertNull(kept("cacheIf"));
        table.checkDefault("cacheIf", "all");
        assertEquals(0.0, kept("jitter"));
        table.checkDefault("jitter", "0");
        table.checkDefault("maxCreation", OptionsTable.time(lock.maxCreation()));
        table.checkDefault("lease", OptionsTable.time(lock.lease()));
        assertNull(kept("refreshOn"));
        table.checkDefault("refreshOn", "none");
        table.checkDefault("whenDown", kept("whenDown"));
        Opening.Backoff backoff = (Opening.Backoff) kept("backoff");
        table.checkDefault(
                "failureBackoff",
                backoff.failures() + ", " + OptionsTable.time(backoff.first()) + ", "
                        + OptionsTable.time(backoff.longest()));
        table.checkDefault("backend", kept("backend"));
        assertEquals(List.of(), kept("wraps"));
        table.checkDefault("wrap", "none");
        assertNull(kept("names"));
        table.checkDefault("keys", "readable");
        assertNull(kept("serializer"));
        table.checkDefault("serializer", "none");
        table.checkDefault("maxValueBytes", OptionsTable.bytes((Integer) kept("maxValueBytes")));
        assertNull(kept("provider"));
        table.checkDefault("lock", "none");
        assertEquals(List.of(), kept("listeners"));
        table.checkDefault("listener", "none");
        assertEquals(false, kept("counts"));
        table.checkDefault("recordStats", "off");
        assertSame(TimeSource.system(), kept("time"));
        table.checkDefault("clock", "the system's");
        assertNull(kept("seed"));
        table.checkDefault("seed", "random");
        // What is the lock's own is read by the test of its table.
        OptionsTable ofLock = OptionsTable.under("lock");
        for (String option : List.of("neverStale", "softTimeout", "hardTimeout", "earlyRefresh", "maxCreation")) {
            ofLock.checkDefault(option, table.defaultOf(option));
        }
        table.checkDefault("ignoreExpiry", "off");
        table.checkDefault("from", "none");
    }

    @Test
    void everyOptionOfFiles_isTold_withItsDefault(@TempDir Path directory) throws Exception {
        OptionsTable table = OptionsTable.under("files");
        table.checkNames(FileBackend.Builder.class);
        table.checkDefault("sweepEvery", OptionsTable.time(FileBackend.DEFAULT_SWEEP));
        assertEquals(0L, OptionsTable.field(FileBackend.builder(directory), "mostBytes"));
        table.checkDefault("maxTotalBytes", "no limit");
    }
}
