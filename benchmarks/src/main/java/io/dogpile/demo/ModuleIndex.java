package io.dogpile.demo;

import java.util.List;
import java.util.SortedMap;

/**
 * What one module offers: the value that the demo's callers want.
 *
 * @param module the module's name
 * @param classFiles how many class files were read
 * @param bytes how long they are together
 * @param types the public methods, as name and descriptor, of each public type by its binary name
 */
record ModuleIndex(String module, int classFiles, long bytes, SortedMap<String, List<String>> types) {
    int methods() {
        return types.values().stream().mapToInt(List::size).sum();
    }
}
