package io.callbridge.support;

import io.agroal.api.AgroalDataSource;
import io.callbridge.platform.StoreKind;
import io.quarkus.agroal.DataSource.DataSourceLiteral;
import io.quarkus.arc.Arc;
import io.quarkus.arc.ClientProxy;
import io.quarkus.arc.impl.Mockable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;

/** What the application in the JVM asks its store, noted as soon as somebody wants to know. */
public final class Statements {

    private static final List<Run> RUNS = new CopyOnWriteArrayList<>();
    private static volatile boolean noting;

    private Statements() {
    }

    /** @param effective it found a row, or changed one */
    public record Run(String text, AtomicBoolean effective) {
    }

    private interface Call {
        Object result() throws Throwable;
    }

    /** Before the store is opened. */
    static void follow(StoreKind kind) {
        for (String name : kind.schemas) {
            AgroalDataSource dataSource = Arc.container().instance(AgroalDataSource.class, new DataSourceLiteral(name)).get();
            AgroalDataSource real = ClientProxy.unwrap(dataSource);
            ((Mockable) dataSource).arc$setMock(proxy(AgroalDataSource.class, real, (method, values, call) ->
                    method.equals("getConnection") ? followed((Connection) call.result()) : call.result()));
        }
    }

    public static void begin() {
        RUNS.clear();
        noting = true;
    }

    /** What was asked since the begin. */
    public static List<Run> soFar() {
        return List.copyOf(RUNS);
    }

    private static Connection followed(Connection real) {
        return proxy(Connection.class, real, (method, values, call) -> method.equals("prepareStatement")
                ? followed((PreparedStatement) call.result(), (String) values[0]) : call.result());
    }

    private static PreparedStatement followed(PreparedStatement real, String text) {
        return proxy(PreparedStatement.class, real, (method, values, call) -> {
            if (!noting || !List.of("executeQuery", "executeUpdate", "addBatch").contains(method)) {
                return call.result();
            }
            Run run = new Run(text, new AtomicBoolean(method.equals("addBatch")));
            RUNS.add(run);
            Object result = call.result();
            if (result instanceof Integer changed && changed > 0) {
                run.effective.set(true);
            }
            return !(result instanceof ResultSet rows) ? result : proxy(ResultSet.class, rows, (each, columns, step) -> {
                Object answer = step.result();
                if (each.equals("next") && (Boolean) answer) {
                    run.effective.set(true);
                }
                return answer;
            });
        });
    }

    private interface Around {
        Object call(String method, Object[] values, Call call) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, T real, Around around) {
        return type.cast(Proxy.newProxyInstance(Statements.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, values) ->
                around.call(method.getName(), values, () -> {
                    try {
                        return method.invoke(real, values);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                })));
    }
}
