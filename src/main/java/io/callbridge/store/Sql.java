package io.callbridge.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * SQL on one connection, which is made when it is needed. Statements stay prepared: for SQLite, preparing one costs as much as running it.
 */
public final class Sql {

    /** More than there are in the code: only the filters and sizes of pages, which users choose, could go on for ever. */
    private static final int MOST_PREPARED = 200;

    private final Connect connect;
    private Connection connection;
    /** The one that was not used for longest goes first. */
    private final Map<String, PreparedStatement> prepared = new LinkedHashMap<>(16, 0.75f, true);

    interface Connect {
        Connection get() throws SQLException;
    }

    Sql(Connect connect) {
        this.connect = connect;
    }

    /** Makes something of the current row. */
    public interface Row<T> {
        T of(ResultSet row) throws SQLException;
    }

    /**
     * @param values texts, whole numbers or {@code null}
     * @return rows changed
     */
    public int update(String text, Object... values) throws SQLException {
        return statement(text, values).executeUpdate();
    }

    /** The same change with several values, at the price of one way to the database. @return rows changed by each */
    int[] updateAll(String text, List<Object[]> all) throws SQLException {
        PreparedStatement statement = prepared(text);
        try {
            for (Object[] values : all) {
                bind(statement, values);
                statement.addBatch();
            }
            return statement.executeBatch();
        } finally {
            statement.clearBatch();
        }
    }

    public <T> List<T> query(String text, Row<T> row, Object... values) throws SQLException {
        try (ResultSet rows = statement(text, values).executeQuery()) {
            List<T> found = new ArrayList<>();
            while (rows.next()) {
                found.add(row.of(rows));
            }
            return found;
        }
    }

    /** The first row, or {@code null} if there is none. */
    public <T> T first(String text, Row<T> row, Object... values) throws SQLException {
        List<T> found = query(text, row, values);
        return found.isEmpty() ? null : found.get(0);
    }

    /** A list of question marks in brackets; one that no value fits when there are none, since {@code ()} is no SQL. */
    public static String in(Collection<?> values) {
        return values.isEmpty() ? "(null)" : "(" + String.join(", ", Collections.nCopies(values.size(), "?")) + ")";
    }

    private PreparedStatement statement(String text, Object... values) throws SQLException {
        PreparedStatement statement = prepared(text);
        bind(statement, values);
        return statement;
    }

    private PreparedStatement prepared(String text) throws SQLException {
        PreparedStatement statement = prepared.get(text);
        if (statement == null) {
            if (prepared.size() >= MOST_PREPARED) {
                String unused = prepared.keySet().iterator().next();
                prepared.remove(unused).close();
            }
            connection = connection == null ? connect.get() : connection;
            statement = connection.prepareStatement(text);
            prepared.put(text, statement);
        }
        return statement;
    }

    private static void bind(PreparedStatement statement, Object... values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
    }

    boolean connected() {
        return connection != null;
    }

    void commit() throws SQLException {
        // Without a statement there is nothing to be committed.
        if (connection != null) {
            connection.commit();
        }
    }

    /** @return whether the connection, if there was one, is whole; else another one is made */
    boolean rollback() {
        if (connection == null) {
            return true;
        }
        try {
            connection.rollback();
            if (connection.isValid(1)) {
                return true;
            }
        } catch (SQLException broken) {
            prepared.clear();
        }
        close();
        return false;
    }

    /** Gives the connection back; what is wrong with one that is given up does not matter. */
    void close() {
        try (Connection given = connection) {
            for (PreparedStatement statement : prepared.values()) {
                statement.close();
            }
        } catch (SQLException broken) {
            connection = null;
        }
        prepared.clear();
        connection = null;
    }
}
