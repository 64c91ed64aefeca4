package com.example.shop;

import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.LockProviderContract;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.BeforeEach;

/** A lock in a database, as a user writes it, held to the contract. */
class JdbcLocksTest extends LockProviderContract {
    private static final String TABLE =
            "CREATE TABLE locks (name VARCHAR PRIMARY KEY, holder CHAR(36) NOT NULL, until TIMESTAMP(6) NOT NULL)";

    private final JdbcConnectionPool database =
            JdbcConnectionPool.create("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1", "", "");

    @BeforeEach
    void createTable() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(TABLE);
        }
    }

    // docs plug-your-own
    @Override
    protected LockProvider provider() {
        return LockProvider.over(new JdbcLocks(database));
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.EXPIRES);
    }
    // end

    @Override
    protected LockProvider anotherClient(LockProvider first) {
        return provider();
    }

    /** Instead of a wait: as if all leases had been granted that much earlier. */
    @Override
    protected void letExpire(Duration leaseTime) {
        try (Connection connection = database.getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("UPDATE locks SET until = DATEADD(MILLISECOND, ?, until)")) {
            statement.setLong(1, -leaseTime.plusMillis(1).toMillis());
            statement.executeUpdate();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    protected void closeStore() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SHUTDOWN");
        }
        database.dispose();
    }
}
