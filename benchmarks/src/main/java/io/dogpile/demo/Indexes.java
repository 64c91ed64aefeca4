package io.dogpile.demo;

import io.dogpile.cache.Cached;
import java.io.IOException;

/** The expensive call, as an application would have it behind an interface. */
interface Indexes {
    @Cached(region = "indexes")
    ModuleIndex index(String module) throws IOException;
}
