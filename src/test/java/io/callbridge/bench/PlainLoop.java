package io.callbridge.bench;

import java.io.IOException;
import java.util.Collections;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.classic.methods.HttpDelete;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.classic.methods.HttpPut;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.StringEntity;

/** What the CRM could be told by a program that does nothing else: the same requests by the client that camel-http uses. */
final class PlainLoop implements AutoCloseable {

    private final String url;
    private final int parallel;
    private final String card;
    private final String call;
    private final CloseableHttpClient client;

    /**
     * @param parallel connections, with a thread each
     * @param card and {@code call}: bodies as the bridge sends them
     */
    PlainLoop(String url, int parallel, String card, String call) {
        this.url = url;
        this.parallel = parallel;
        this.card = card;
        this.call = call;
        client = HttpClients.custom().disableAutomaticRetries().setConnectionManager(PoolingHttpClientConnectionManagerBuilder
                .create().setMaxConnPerRoute(parallel).setMaxConnTotal(parallel).build()).build();
    }

    /** Look-up, card, end of the card and registration of so many calls. @return calls per second */
    double run(int calls) {
        AtomicInteger next = new AtomicInteger();
        Callable<Void> work = () -> {
            for (int n = next.getAndIncrement(); n < calls; n = next.getAndIncrement()) {
                String leg = UUID.randomUUID().toString();
                send(new HttpGet(url + "/entities?phone=%2B7900" + String.format("%07d", n)));
                send(put("/cards/" + leg, card));
                send(new HttpDelete(url + "/cards/" + leg + "?reason=ended"));
                send(put("/calls/" + leg, call));
            }
            return null;
        };
        long begin = System.nanoTime();
        AtOnce.run(Collections.nCopies(parallel, work));
        return calls * 1e9 / (System.nanoTime() - begin);
    }

    private HttpPut put(String path, String body) {
        HttpPut put = new HttpPut(url + path);
        put.setEntity(new StringEntity(body, ContentType.APPLICATION_JSON));
        return put;
    }

    private void send(ClassicHttpRequest request) throws IOException {
        client.execute(request, answer -> {
            if (answer.getCode() != 200) {
                throw new IOException("answer " + answer.getCode());
            }
            EntityUtils.consume(answer.getEntity());
            return null;
        });
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
