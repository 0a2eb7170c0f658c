package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
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

    private final long most;

    public RecordingFile() {
        this(MOST);
    }

    /** @param most bytes */
    public RecordingFile(long most) {
        this.most = most;
    }

    /**
     * Keeps the body until the end of the delivery.
     *
     * @param body {@code null}: there is none
     * @return the path; empty: it is larger than anything that is a recording
     */
    public String keep(@Body InputStream body, Exchange exchange) throws IOException {
        Path file = Files.createTempFile("callbridge-recording-", "");
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                delete(file);
            }
        });
        try (body; OutputStream out = Files.newOutputStream(file)) {
            byte[] part = new byte[64 << 10];
            long size = 0;
            for (int read = next(body, part); read >= 0; read = next(body, part)) {
                size += read;
                if (size > most) {
                    return "";
                }
                out.write(part, 0, read);
            }
        }
        return file.toString();
    }

    /** @param field of the form, as the CRM names it */
    public HttpEntity form(String path, String field, String name) {
        return MultipartEntityBuilder.create().setContentType(ContentType.create("multipart/form-data"))
                .addBinaryBody(field, Path.of(path).toFile(), ContentType.APPLICATION_OCTET_STREAM, name).build();
    }

    private static int next(InputStream body, byte[] part) throws IOException {
        return body == null ? -1 : body.read(part);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
