package com.example.shop;

import io.dogpile.core.LockTable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.time.Duration;
import javax.sql.DataSource;

// docs plug-your-own
/** CREATE TABLE locks (name VARCHAR PRIMARY KEY, holder CHAR(36) NOT NULL, until TIMESTAMP(6) NOT NULL) */
record JdbcLocks(DataSource database) implements LockTable {
    private static final String LATER = "DATEADD(MILLISECOND, ?, LOCALTIMESTAMP)"; // by the clock of the database

    @Override
    public boolean take(String name, String holder, Duration leaseTime) throws SQLException {
        try {
            return update(
                    "MERGE INTO locks USING (SELECT CAST(? AS VARCHAR) name, CAST(? AS VARCHAR) holder, " + LATER
                            + " until) mine"
                            + " ON locks.name = mine.name"
                            + " WHEN MATCHED AND locks.until <= LOCALTIMESTAMP"
                            + " THEN UPDATE SET holder = mine.holder, until = mine.until"
                            + " WHEN NOT MATCHED THEN INSERT VALUES (mine.name, mine.holder, mine.until)",
                    name,
                    holder,
                    leaseTime.toMillis());
        } catch (SQLIntegrityConstraintViolationException anotherWasFaster) {
            return false;
        }
    }

    @Override
    public boolean keep(String name, String holder, Duration leaseTime) throws SQLException {
        return update(
                "UPDATE locks SET until = " + LATER + " WHERE name = ? AND holder = ? AND until > LOCALTIMESTAMP",
                leaseTime.toMillis(),
                name,
                holder);
    }

    @Override
    public void leave(String name, String holder) throws SQLException {
        update("DELETE FROM locks WHERE name = ? AND holder = ?", name, holder);
    }

    private boolean update(String sql, Object... values) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate() == 1;
        }
    }
}
// end
