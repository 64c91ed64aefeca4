package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Function;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * One object per name, in every interleaving of look-ups, collections and purges: the objects of a name are numbered as
 * they are made, so an order of the calls exists only if no name has two objects at once. Two broken twins show that the
 * search would find it.
 */
class NameRegistryLincheckTest {
    private static final String[] NAMES = {"Aa", "BB"};

    @Test
    @DisplayName("B-001 B-002 B-004 registry_inEveryInterleaving_hasOneObjectPerName")
    void registry_inEveryInterleaving_hasOneObjectPerName() {
        modelChecking().check(TheRegistry.class);
    }

    @Test
    @DisplayName("B-001 B-002 B-004 registry_underStress_hasOneObjectPerName")
    void registry_underStress_hasOneObjectPerName() {
        new StressOptions()
                .iterations(8)
                .invocationsPerIteration(200)
                .threads(2)
                .actorsBefore(0)
                .actorsPerThread(3)
                .actorsAfter(1)
                .check(TheRegistry.class);
    }

    @Test
    @DisplayName("B-002 control_aRegistryThatChecksThenActs_isFound")
    void control_aRegistryThatChecksThenActs_isFound() {
        assertThrows(LincheckAssertionError.class, () -> modelChecking().check(ChecksThenActs.class));
    }

    @Test
    @DisplayName("B-004 control_aRegistryThatPurgesByName_isFound")
    void control_aRegistryThatPurgesByName_isFound() {
        assertThrows(LincheckAssertionError.class, () -> modelChecking().check(PurgesByName.class));
    }

    private static ModelCheckingOptions modelChecking() {
        return new ModelCheckingOptions()
                .iterations(8)
                .invocationsPerIteration(200)
                .threads(2)
                .actorsBefore(0)
                .actorsPerThread(3)
                .actorsAfter(1);
    }

    @Param(name = "name", gen = IntGen.class, conf = "0:1")
    public static class TheRegistry {
        private final Numbers numbers = new Numbers();
        private final NameRegistry<Numbered> registry = NameRegistry.of(numbers);

        @Operation
        public int get(@Param(name = "name") int name) {
            return registry.get(NAMES[name]).number;
        }

        /** What the collector does to an object that nobody holds. */
        @Operation
        public void collect(@Param(name = "name") int name) {
            NameRegistry.Entry<Numbered> entry = registry.entries.get(NAMES[name]);
            if (entry != null) {
                entry.enqueue();
            }
        }

        @Operation
        public void purge() {
            registry.size();
        }
    }

    /** A registry that may create twice, the second object replacing the first. */
    @Param(name = "name", gen = IntGen.class, conf = "0:1")
    public static class ChecksThenActs {
        private final Numbers numbers = new Numbers();
        private final ConcurrentMap<String, Numbered> objects = new ConcurrentHashMap<>();

        @Operation
        public int get(@Param(name = "name") int name) {
            Numbered found = objects.get(NAMES[name]);
            if (found == null) {
                found = numbers.apply(NAMES[name]);
                objects.put(NAMES[name], found);
            }
            return found.number;
        }
    }

    /** A registry whose purge takes out whatever its name has by now. */
    @Param(name = "name", gen = IntGen.class, conf = "0:1")
    public static class PurgesByName {
        private final Numbers numbers = new Numbers();
        private final ConcurrentMap<String, Named> entries = new ConcurrentHashMap<>();
        private final ReferenceQueue<Numbered> collected = new ReferenceQueue<>();

        @Operation
        public int get(@Param(name = "name") int name) {
            while (true) {
                Named entry = entries.get(NAMES[name]);
                Numbered found = entry == null ? null : entry.get();
                if (found != null) {
                    return found.number;
                }
                purge();
                entries.computeIfAbsent(NAMES[name], key -> new Named(key, numbers.apply(key), collected));
            }
        }

        @Operation
        public void collect(@Param(name = "name") int name) {
            Named entry = entries.get(NAMES[name]);
            if (entry != null) {
                entry.enqueue();
            }
        }

        @Operation
        public void purge() {
            Reference<? extends Numbered> dead = collected.poll();
            if (dead instanceof Named named) {
                entries.remove(named.name);
            }
        }
    }

    private static final class Named extends WeakReference<Numbered> {
        final String name;

        Named(String name, Numbered value, ReferenceQueue<Numbered> collected) {
            super(value, collected);
            this.name = name;
        }
    }

    private static final class Numbered {
        final int number;

        Numbered(int number) {
            this.number = number;
        }
    }

    /** Makes the objects, and holds them all, so that they go only when the test says so. */
    private static final class Numbers implements Function<String, Numbered> {
        private final AtomicIntegerArray made = new AtomicIntegerArray(NAMES.length);
        private final Queue<Numbered> held = new ConcurrentLinkedQueue<>();

        @Override
        public Numbered apply(String name) {
            Numbered next = new Numbered(made.incrementAndGet(name.equals(NAMES[0]) ? 0 : 1));
            held.add(next);
            return next;
        }
    }
}
