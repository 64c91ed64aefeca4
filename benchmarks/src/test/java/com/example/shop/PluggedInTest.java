package com.example.shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.SerializingBackend;
import io.dogpile.core.DogpileException;
import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a shop plugs in, used as it uses it. */
class PluggedInTest {
    private final JdbcConnectionPool database =
            JdbcConnectionPool.create("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1", "", "");

    @BeforeEach
    void createTable() throws SQLException {
        execute("CREATE TABLE locks (name VARCHAR PRIMARY KEY, holder CHAR(36) NOT NULL, until TIMESTAMP(6) NOT NULL)");
    }

    @AfterEach
    void close() throws SQLException {
        execute("SHUTDOWN");
        database.dispose();
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void lockInADatabase_isALock() {
        // docs plug-your-own
        LockProvider locks = LockProvider.over(new JdbcLocks(database));
        try (Lease lease = locks.tryAcquire("report", Duration.ofSeconds(30)).orElseThrow()) {
            assertTrue(locks.tryAcquire("report", Duration.ofSeconds(30)).isEmpty());
            assertTrue(lease.extend(Duration.ofMinutes(1)));
        }
        // end
    }

    @Test
    void databaseThatFails_isTold_withTheNameAndTheCause() throws SQLException {
        LockProvider locks = LockProvider.over(new JdbcLocks(database));
        execute("DROP TABLE locks");
        DogpileException failure =
                assertThrows(DogpileException.class, () -> locks.tryAcquire("report", Duration.ofSeconds(30)));
        assertInstanceOf(SQLException.class, failure.getCause());
        assertTrue(failure.getMessage().startsWith("The lock of 'report' "), failure.getMessage());
    }

    @Test
    void lockAndMap_oneCreationAmongAllProcesses() throws Exception {
        MapStore store = new MapStore();
        Held<String> creator = new Held<>("9.90");
        try (Region<Long, String> here = prices(store, database);
                Region<Long, String> there = prices(store, database);
                Callers callers = new Callers()) {
            var first = callers.start(() -> here.getOrCreate(1L, creator));
            creator.awaitBegun();
            var second = callers.start(() -> there.getOrCreate(1L, id -> "never"));
            creator.letGo();
            assertEquals("9.90", first.result());
            assertEquals("9.90", second.result());
        }
    }

    private static Region<Long, String> prices(MapStore store, DataSource database) {
        // docs plug-your-own
        Region<Long, String> prices = Region.<Long, String>builder("prices")
                .backend(SerializingBackend.of(store))
                .serializer(Serializer.string())
                .lock(LockProvider.over(new JdbcLocks(database)), Duration.ofSeconds(30))
                .build();
        // end
        return prices;
    }
}
