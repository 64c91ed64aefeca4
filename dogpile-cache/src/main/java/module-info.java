/** Regions, backends and codecs over the lock of dogpile-core. */
module io.dogpile.cache {
    requires transitive io.dogpile.core;
    requires com.github.benmanes.caffeine;
    requires org.slf4j;
    requires static com.fasterxml.jackson.databind;
    requires static micrometer.core;
    requires static transitive org.jspecify;

    exports io.dogpile.cache;
    exports io.dogpile.cache.backend;
    exports io.dogpile.cache.file;
}
