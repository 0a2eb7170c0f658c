package io.callbridge.support;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.SSLContext;

/** Self-signed certificates, made by the JDK's keytool. */
public final class Certificates {

    private static final String PASSWORD = "password-of-the-tests";

    private Certificates() {
    }

    /** Makes a certificate of localhost. @return its file and that of its private key, in PEM */
    public static String[] in(Path folder, String name) throws IOException, GeneralSecurityException {
        File store = folder.resolve(name + ".p12").toFile();
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                "-alias", name, "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=" + name, "-ext",
                "SAN=dns:localhost,ip:127.0.0.1",
                "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", PASSWORD).inheritIO().start();
        if (Unchecked.get(keytool::waitFor) != 0) {
            throw new IllegalStateException("keytool has failed");
        }
        KeyStore keys = KeyStore.getInstance(store, PASSWORD.toCharArray());
        return new String[] {
            pem(folder.resolve(name + ".crt"), "CERTIFICATE", keys.getCertificate(name).getEncoded()),
            pem(folder.resolve(name + ".key"), "PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded())};
    }

    /**
     * What one of both sides is, and whom it trusts.
     *
     * @param own name of its certificate, {@code null} if it has none
     * @param other name of the certificate that it trusts
     */
    public static SSLContext context(Path folder, String own, String other) throws IOException {
        SslContextBuilder side = SslContextBuilder.forClient().sslProvider(SslProvider.JDK)
                .trustManager(folder.resolve(other + ".crt").toFile());
        if (own != null) {
            side.keyManager(folder.resolve(own + ".crt").toFile(), folder.resolve(own + ".key").toFile());
        }
        return ((JdkSslContext) side.build()).context();
    }

    private static String pem(Path file, String kind, byte[] bytes) throws IOException {
        return Files.writeString(file, "-----BEGIN " + kind + "-----\n" + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes)
                + "\n-----END " + kind + "-----\n").toString();
    }
}
