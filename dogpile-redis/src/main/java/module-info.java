/** Redis as a backend and as a lock. */
module io.dogpile.redis {
    requires transitive io.dogpile.cache;
    requires transitive redis.clients.jedis;
    requires org.apache.commons.pool2;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports io.dogpile.redis;
}
