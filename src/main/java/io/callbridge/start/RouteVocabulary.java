package io.callbridge.start;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.jayway.jsonpath.PathNotFoundException;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZonedDateTime;
import java.util.AbstractCollection;
import java.util.AbstractList;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.camel.CamelException;
import org.apache.camel.CamelExchangeException;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ExchangeTimedOutException;
import org.apache.camel.ExpressionEvaluationException;
import org.apache.camel.InvalidPayloadException;
import org.apache.camel.NoSuchHeaderException;
import org.apache.camel.NoTypeConversionAvailableException;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.RuntimeExchangeException;
import org.apache.camel.TypeConversionException;
import org.apache.camel.ValidationException;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.processor.ThrottlerRejectedExecutionException;
import org.apache.camel.processor.aggregate.GroupedBodyAggregationStrategy;
import org.apache.camel.processor.aggregate.StringAggregationStrategy;
import org.apache.camel.processor.aggregate.UseLatestAggregationStrategy;
import org.apache.camel.processor.aggregate.UseOriginalAggregationStrategy;
import org.apache.camel.support.processor.PredicateValidationException;
import org.apache.camel.support.processor.idempotent.MemoryIdempotentRepository;
import org.apache.hc.client5.http.ClientProtocolException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.client5.http.HttpHostConnectException;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.NoHttpResponseException;

/**
 * Classes of others that a route may name or call, so that a native binary has them although no code of ours does.
 * routes/README.md lists them under "What a route may use"; Callbridge's own are annotated where they are.
 */
@RegisterForReflection(fields = false, targets = {
    // Exceptions, for onException, doCatch and throwException.
    Throwable.class, Exception.class, RuntimeException.class, ArithmeticException.class, ClassCastException.class,
    IllegalArgumentException.class, IllegalStateException.class, IndexOutOfBoundsException.class, InterruptedException.class,
    NullPointerException.class, NumberFormatException.class, UnsupportedOperationException.class, NoSuchElementException.class,
    RejectedExecutionException.class, TimeoutException.class, DateTimeException.class, SQLException.class,
    IOException.class, ClosedChannelException.class, ConnectException.class, NoRouteToHostException.class, SocketException.class,
    SocketTimeoutException.class, UnknownHostException.class, SSLException.class, SSLHandshakeException.class,
    SSLPeerUnverifiedException.class,
    ClientProtocolException.class, ConnectTimeoutException.class, HttpHostConnectException.class, ConnectionClosedException.class,
    ConnectionRequestTimeoutException.class, NoHttpResponseException.class, HttpOperationFailedException.class,
    JsonProcessingException.class, JsonParseException.class, JsonMappingException.class, PathNotFoundException.class,
    CamelException.class, CamelExchangeException.class, CamelExecutionException.class, ExchangeTimedOutException.class,
    ExpressionEvaluationException.class, InvalidPayloadException.class, NoSuchHeaderException.class,
    NoTypeConversionAvailableException.class, PredicateValidationException.class,
    RuntimeCamelException.class, RuntimeExchangeException.class, ThrottlerRejectedExecutionException.class,
    TypeConversionException.class, ValidationException.class,
    // Classes of beans.
    GroupedBodyAggregationStrategy.class, StringAggregationStrategy.class, UseLatestAggregationStrategy.class,
    UseOriginalAggregationStrategy.class, MemoryIdempotentRepository.class,
    // What bodies and variables are, whose methods simple calls; what is inherited counts only if its class is here too.
    Object.class, CharSequence.class, String.class, Number.class, Integer.class, Long.class, Double.class, Float.class,
    Boolean.class, BigDecimal.class, BigInteger.class,
    Iterable.class, Collection.class, List.class, Set.class, Map.class, Map.Entry.class, AbstractCollection.class, AbstractList.class,
    AbstractMap.class, ArrayList.class, HashMap.class, LinkedHashMap.class, TreeMap.class, ConcurrentHashMap.class, HashSet.class,
    LinkedHashSet.class, Date.class, Duration.class, Instant.class, LocalDate.class, LocalDateTime.class, ZonedDateTime.class
})
public final class RouteVocabulary {

    private RouteVocabulary() {
    }
}
