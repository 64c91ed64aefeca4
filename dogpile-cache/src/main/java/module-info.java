/** Regions, backends and codecs over the lock of dogpile-core. */
module io.dogpile.cache {
    requires transitive io.dogpile.core;
    requires static com.fasterxml.jackson.databind;
    requires static transitive org.jspecify;

    exports io.dogpile.cache.backend;
}
