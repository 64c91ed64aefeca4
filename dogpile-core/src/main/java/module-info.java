/** The lock: one caller creates, the others take the old value or wait. */
module io.dogpile.core {
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports io.dogpile.core;
}
