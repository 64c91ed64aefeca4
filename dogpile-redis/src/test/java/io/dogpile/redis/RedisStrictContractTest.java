package io.dogpile.redis;

/** What every backend holds, where each read asks for the generations, too. */
class RedisStrictContractTest extends RedisBackendContractTest {
    @Override
    RedisBackend.Builder builder() {
        return super.builder().strictInvalidation();
    }
}
