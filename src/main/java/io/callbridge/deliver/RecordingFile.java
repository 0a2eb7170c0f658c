package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.hc.client5.http.entity.mime.MultipartEntityBuilder;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;

/** A recording on its way from the server that keeps it to a CRM that does not fetch it itself: on the disk, never in memory. */
@ApplicationScoped
@Named("recordingFile")
@RegisterForReflection
public class RecordingFile {

    /** Hours of speech, in any form that a CRM plays. */
    private static final long MOST = 100L << 20;

    private final CrmAnswer answers = new CrmAnswer();
    private final long most;

    public RecordingFile() {
        this(MOST);
    }

    /** @param most bytes */
    public RecordingFile(long most) {
        this.most = most;
    }

    /**
     * Fetches the recording, and keeps it until the end of the delivery; the variables {@code file} and {@code fileName} are its.
     * Whatever the server says instead, it may be ready later.
     */
    public void fetch(@Variable("recordingUrl") String url, Exchange exchange) throws Exception {
        request(exchange, url, null, "http://recordings.invalid?disableStreamCache=true&httpMethod=GET&throwExceptionOnFailure=false");
        // To its end, since an unread answer would hold its connection.
        String file = keep(exchange.getMessage().getBody(InputStream.class), exchange);
        exchange.getMessage().setBody(null);
        Integer status = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
        if (status != 200) {
            exchange.getMessage().setBody("the server of the recording answers " + status);
            answers.later(exchange);
        } else if (file.isEmpty()) {
            exchange.getMessage().setBody("the recording is too large");
            answers.refused(exchange);
        }
        String type = exchange.getMessage().getHeader("Content-Type", "", String.class);
        exchange.setVariable("file", file);
        exchange.setVariable("fileName", url.matches("[^?]*\\.wav([?].*)?") || type.contains("wav") ? "recording.wav" : "recording.mp3");
    }

    /** @param field of the form, as the CRM names it */
    public void upload(Exchange exchange, String url, String field) throws Exception {
        HttpEntity form = MultipartEntityBuilder.create().setContentType(ContentType.create("multipart/form-data"))
                .addBinaryBody(field, Path.of(exchange.getVariable("file", String.class)).toFile(), ContentType.APPLICATION_OCTET_STREAM,
                        exchange.getVariable("fileName", String.class)).build();
        request(exchange, url, form, "http://recordings.invalid?httpMethod=POST&throwExceptionOnFailure=false");
    }

    private static void request(Exchange exchange, String url, Object body, String endpoint) throws Exception {
        exchange.getMessage().removeHeaders("*");
        exchange.getMessage().setHeader(Exchange.HTTP_URI, url);
        exchange.getMessage().setBody(body);
        CrmRequests.send(exchange, endpoint);
    }

    /**
     * @param body {@code null}: there is none
     * @return the path; empty: it is larger than anything that is a recording
     */
    private String keep(InputStream body, Exchange exchange) throws IOException {
        Path file = Files.createTempFile("callbridge-recording-", "");
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                file.toFile().delete();
            }
        });
        long size = 0;
        try (InputStream in = body == null ? InputStream.nullInputStream() : body; OutputStream out = Files.newOutputStream(file)) {
            byte[] part;
            do {
                part = in.readNBytes(64 << 10);
                out.write(part);
                size += part.length;
            } while (part.length > 0 && size <= most);
        }
        return size > most ? "" : file.toString();
    }
}
