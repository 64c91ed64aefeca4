package io.dogpile.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.invoke.MethodType;
import java.lang.module.ModuleReader;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModuleIndexerTest {
    /** Nested types of all four accesses, so that the head's flags and the declared ones differ. */
    public static final class Nested {
        protected static final class ProtectedInSource {}

        public long aLongSoThatAConstantTakesTwoPlaces() {
            return 0x1234_5678_9abcL;
        }

        void notPublic() {}
    }

    /** java.logging is small, java.net.http full of nested types, java.xml as large as what the demo indexes. */
    @ParameterizedTest
    @ValueSource(strings = {"java.logging", "java.net.http", "java.xml"})
    void indexOfAModule_isWhatReflectionSays(String module) throws Exception {
        ModuleIndex index = ModuleIndexer.index(module);
        SortedMap<String, TreeSet<String>> expected = byReflection(module);
        SortedMap<String, TreeSet<String>> read = sortedMethods(index);
        assertEquals(Set.of(), difference(expected.keySet(), read.keySet()), "types that only reflection has");
        assertEquals(Set.of(), difference(read.keySet(), expected.keySet()), "types that only the index has");
        expected.forEach((type, methods) -> assertEquals(methods, read.get(type), type));
        assertTrue(index.methods() > 100, () -> index.methods() + " methods");
    }

    @Test
    void secondIndex_isMadeAnew_andEqual() throws Exception {
        assertEquals(ModuleIndexer.index("java.logging"), ModuleIndexer.index("java.logging"));
    }

    @Test
    void protectedNestedClass_isNotPublicInSource() throws Exception {
        assertFalse(parse(Nested.ProtectedInSource.class).isPublicInSource());
        assertTrue(parse(Nested.class).isPublicInSource());
    }

    @Test
    void methods_areTheDeclaredOnes_withTheirDescriptors() throws Exception {
        List<String> methods = parse(Nested.class).methods().stream()
                .map(method -> method.name() + method.descriptor() + method.isPublicInSource())
                .sorted()
                .toList();
        assertEquals(
                List.of("<init>()Vfalse", "aLongSoThatAConstantTakesTwoPlaces()Jtrue", "notPublic()Vfalse"), methods);
    }

    @Test
    void whatIsNoClassFile_isRefused() {
        assertThrows(IOException.class, () -> ClassFile.parse(new byte[64]));
    }

    @Test
    void classFileThatEndsTooSoon_isRefused() throws Exception {
        byte[] whole = bytes(Nested.class);
        assertThrows(IOException.class, () -> ClassFile.parse(Arrays.copyOf(whole, whole.length / 2)));
    }

    private static Set<String> difference(Set<String> of, Set<String> without) {
        Set<String> rest = new TreeSet<>(of);
        rest.removeAll(without);
        return rest;
    }

    private static ClassFile parse(Class<?> type) throws IOException {
        return ClassFile.parse(bytes(type));
    }

    private static byte[] bytes(Class<?> type) throws IOException {
        try (var in =
                type.getResourceAsStream(type.getName().substring(type.getName().lastIndexOf('.') + 1) + ".class")) {
            return in.readAllBytes();
        }
    }

    private static SortedMap<String, TreeSet<String>> sortedMethods(ModuleIndex index) {
        SortedMap<String, TreeSet<String>> sorted = new TreeMap<>();
        index.types().forEach((type, methods) -> sorted.put(type, new TreeSet<>(methods)));
        return sorted;
    }

    private static SortedMap<String, TreeSet<String>> byReflection(String module) throws Exception {
        SortedMap<String, TreeSet<String>> types = new TreeMap<>();
        var reference = ModuleLayer.boot()
                .configuration()
                .findModule(module)
                .orElseThrow()
                .reference();
        try (ModuleReader reader = reference.open()) {
            List<String> names = reader.list()
                    .filter(name -> name.endsWith(".class") && !name.equals("module-info.class"))
                    .toList();
            for (String name : names) {
                String type =
                        name.substring(0, name.length() - ".class".length()).replace('/', '.');
                Class<?> reflected = Class.forName(type, false, ClassLoader.getSystemClassLoader());
                if (Modifier.isPublic(reflected.getModifiers()) && !reflected.isSynthetic()) {
                    types.put(type, publicMethods(reflected));
                }
            }
        }
        return types;
    }

    private static TreeSet<String> publicMethods(Class<?> type) {
        TreeSet<String> methods = new TreeSet<>();
        for (Method method : type.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic()) {
                methods.add(method.getName()
                        + MethodType.methodType(method.getReturnType(), method.getParameterTypes())
                                .toMethodDescriptorString());
            }
        }
        return methods;
    }
}
