package io.dogpile.demo;

import java.util.List;

/**
 * What the runs run on.
 *
 * @param one the index on which callers of one key meet; its cost is nearest to what the demo wants
 * @param cost how long that index takes, in nanoseconds: the median of a few, on one thread, warmed up
 * @param largest the largest modules, largest first
 */
record Setting(ModuleIndex one, long cost, List<String> largest) {}
