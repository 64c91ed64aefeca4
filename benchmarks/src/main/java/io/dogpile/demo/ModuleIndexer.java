package io.dogpile.demo;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The expensive call: reads a module out of the running JDK's own image, class file by class file. Nothing is kept
 * between two calls, so that each costs about the same.
 */
final class ModuleIndexer {
    private static final Path MODULES =
            FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules");

    private ModuleIndexer() {}

    static List<String> modules() throws IOException {
        try (Stream<Path> modules = Files.list(MODULES)) {
            return modules.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    static ModuleIndex index(String module) throws IOException {
        int classFiles = 0;
        long bytes = 0;
        TreeMap<String, List<String>> types = new TreeMap<>();
        try (Stream<Path> files = Files.walk(MODULES.resolve(module))) {
            for (Iterator<Path> all = files.iterator(); all.hasNext(); ) {
                Path file = all.next();
                if (!isClass(file)) {
                    continue;
                }
                byte[] content = Files.readAllBytes(file);
                classFiles++;
                bytes += content.length;
                ClassFile read = ClassFile.parse(content);
                if (read.isPublicInSource()) {
                    types.put(read.name(), publicMethods(read));
                }
            }
        }
        return new ModuleIndex(module, classFiles, bytes, types);
    }

    private static boolean isClass(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".class") && !name.equals("module-info.class");
    }

    private static List<String> publicMethods(ClassFile type) {
        List<String> methods = new ArrayList<>(type.methods().size());
        for (ClassFile.Method method : type.methods()) {
            if (method.isPublicInSource()) {
                methods.add(method.name() + method.descriptor());
            }
        }
        return methods;
    }
}
