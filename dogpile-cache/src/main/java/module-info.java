/** Regions, backends and codecs over the lock of dogpile-core: nothing is exported, since nothing is here yet. */
module io.dogpile.cache {
    requires transitive io.dogpile.core;
    requires static transitive org.jspecify;
}
