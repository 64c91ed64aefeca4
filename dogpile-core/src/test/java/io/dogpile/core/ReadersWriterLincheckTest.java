package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * The tries of both sides, in every interleaving, against a plain account of who is in. It is the sides themselves that
 * are checked, below the checks of who owns what, since an order of calls is replayed on one thread. A broken twin shows
 * that the search would find an error.
 */
class ReadersWriterLincheckTest {
    @Test
    @DisplayName("B-020 B-022 B-023 B-024 tries_inEveryInterleaving_areThoseOfOneOrder")
    void tries_inEveryInterleaving_areThoseOfOneOrder() {
        modelChecking().check(TheLock.class);
    }

    @Test
    @DisplayName("B-020 B-022 B-023 B-024 tries_underStress_areThoseOfOneOrder")
    void tries_underStress_areThoseOfOneOrder() {
        against(new StressOptions().iterations(8).invocationsPerIteration(200)).check(TheLock.class);
    }

    @Test
    @DisplayName("B-022 B-024 read_refusedBesideAWriter_isNoReasonToRefuseTheNextWriter")
    void read_refusedBesideAWriter_isNoReasonToRefuseTheNextWriter() throws Exception {
        ExecutionScenario meeting = new ExecutionScenario(
                List.of(),
                List.of(List.of(call("write", 0), call("leaveWrite", 0), call("write", 0)), List.of(call("read", 1))),
                List.of(),
                null);
        against(new ModelCheckingOptions().iterations(0).invocationsPerIteration(1_500))
                .addCustomScenario(meeting)
                .check(TheLock.class);
    }

    @Test
    @DisplayName("B-026 B-027 close_inEveryInterleaving_succeedsOnce")
    void close_inEveryInterleaving_succeedsOnce() {
        new ModelCheckingOptions()
                .iterations(3)
                .invocationsPerIteration(200)
                .threads(2)
                .actorsBefore(0)
                .actorsPerThread(2)
                .actorsAfter(1)
                .check(OneRead.class);
    }

    @Test
    @DisplayName("B-020 control_aLockThatLooksBeforeItCounts_isFound")
    void control_aLockThatLooksBeforeItCounts_isFound() {
        assertThrows(LincheckAssertionError.class, () -> modelChecking().check(LooksBeforeItCounts.class));
    }

    private static Actor call(String method, int caller) throws NoSuchMethodException {
        return new Actor(
                TheLock.class.getMethod(method, int.class), List.of(caller), false, false, false, false, false);
    }

    private static ModelCheckingOptions modelChecking() {
        return against(new ModelCheckingOptions().iterations(10).invocationsPerIteration(150));
    }

    private static <O extends Options<O, ?>> O against(O options) {
        return options.threads(2)
                .actorsBefore(1)
                .actorsPerThread(3)
                .actorsAfter(1)
                .sequentialSpecification(Account.class);
    }

    /** What each caller may see: as if the calls came one after the other. */
    public static class Account {
        private final boolean[] reading = new boolean[8];
        private final boolean[] writing = new boolean[8];

        public boolean read(int caller) {
            boolean enters = !reading[caller] && !any(writing);
            reading[caller] |= enters;
            return enters;
        }

        public boolean leaveRead(int caller) {
            boolean left = reading[caller];
            reading[caller] = false;
            return left;
        }

        public boolean write(int caller) {
            boolean enters = !any(reading) && !any(writing);
            writing[caller] |= enters;
            return enters;
        }

        public boolean leaveWrite(int caller) {
            boolean left = writing[caller];
            writing[caller] = false;
            return left;
        }

        private static boolean any(boolean[] callers) {
            for (boolean one : callers) {
                if (one) {
                    return true;
                }
            }
            return false;
        }
    }

    /** Each caller has at most one read and one write, and looks only at its own. */
    public abstract static class Calls {
        private final int[] reading = new int[8];
        private final boolean[] writing = new boolean[8];
        private final ReadersWriter lock;

        Calls(ReadersWriter lock) {
            this.lock = lock;
            Arrays.fill(reading, ReadersWriter.REFUSED);
        }

        @Operation
        public boolean read(@Param(gen = ThreadIdGen.class) int caller) {
            if (reading[caller] != ReadersWriter.REFUSED) {
                return false;
            }
            reading[caller] = lock.tryEnterRead();
            return reading[caller] != ReadersWriter.REFUSED;
        }

        @Operation
        public boolean leaveRead(@Param(gen = ThreadIdGen.class) int caller) {
            if (reading[caller] == ReadersWriter.REFUSED) {
                return false;
            }
            lock.exitRead(reading[caller]);
            reading[caller] = ReadersWriter.REFUSED;
            return true;
        }

        @Operation
        public boolean write(@Param(gen = ThreadIdGen.class) int caller) {
            boolean enters = lock.tryEnterWrite();
            writing[caller] |= enters;
            return enters;
        }

        @Operation
        public boolean leaveWrite(@Param(gen = ThreadIdGen.class) int caller) {
            if (!writing[caller]) {
                return false;
            }
            lock.exitWrite();
            writing[caller] = false;
            return true;
        }
    }

    public static class TheLock extends Calls {
        public TheLock() {
            super(new ReadersWriterLock());
        }
    }

    /** A read that was given away, to be closed by whoever comes first. */
    public static class OneRead {
        private final ReadersWriter.Reader reader =
                new ReadersWriterLock().tryOpenRead().handOver();

        @Operation
        public boolean close() {
            try {
                reader.close();
                return true;
            } catch (IllegalStateException closedTwice) {
                return false;
            }
        }
    }

    public static class LooksBeforeItCounts extends Calls {
        public LooksBeforeItCounts() {
            super(new BrokenLock());
        }
    }

    private static final class BrokenLock extends ReadersWriter {
        private final AtomicInteger readers = new AtomicInteger();
        private final AtomicBoolean writer = new AtomicBoolean();

        @Override
        int tryEnterRead() {
            if (writer.get()) {
                return REFUSED;
            }
            return readers.incrementAndGet();
        }

        @Override
        void exitRead(int ticket) {
            readers.decrementAndGet();
        }

        @Override
        boolean tryEnterWrite() {
            return readers.get() == 0 && writer.compareAndSet(false, true);
        }

        @Override
        void exitWrite() {
            writer.set(false);
        }

        @Override
        int enterRead() {
            throw new UnsupportedOperationException();
        }

        @Override
        int tryEnterRead(long timeoutNanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        void enterWrite() {
            throw new UnsupportedOperationException();
        }

        @Override
        boolean tryEnterWrite(long timeoutNanos) {
            throw new UnsupportedOperationException();
        }
    }
}
