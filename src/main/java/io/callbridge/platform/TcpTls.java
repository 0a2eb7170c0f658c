package io.callbridge.platform;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/** TLS of the line protocol. Files are read at the start, so that a wrong one stops it and not the first connection. */
final class TcpTls {

    private static final String CERTIFICATE = "tcp.tls.certificate";
    private static final String KEY = "tcp.tls.key";
    private static final String CLIENT_CA = "tcp.tls.client-ca";
    private static final String A_KEY = "a file in PEM with a private key of RSA or EC (PKCS#8, without password)";
    private static final Pattern PRIVATE_KEY = Pattern.compile("(?s)-----BEGIN PRIVATE KEY-----(.+?)-----END PRIVATE KEY-----");
    private static final Map<String, String> SIGNATURES = Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA");

    private TcpTls() {
    }

    /**
     * @param certificate file in PEM, of the server, with what leads to its root
     * @param key file in PEM, of the certificate's private key
     * @param clientCa file in PEM; who connects then needs a certificate that one of these has signed
     * @return {@code null} without a certificate: no TLS
     */
    static SslContext of(Optional<String> certificate, Optional<String> key, Optional<String> clientCa) {
        together(KEY, key, CERTIFICATE, certificate);
        together(CLIENT_CA, clientCa, CERTIFICATE, certificate);
        together(CERTIFICATE, certificate, KEY, key);
        if (certificate.isEmpty()) {
            return null;
        }
        X509Certificate[] chain = certificates(CERTIFICATE, certificate.get());
        PrivateKey secret = privateKey(key.get());
        try {
            if (!belongTogether(secret, chain[0].getPublicKey())) {
                throw Settings.invalid(KEY, key.get(), "the private key of the first certificate in " + certificate.get());
            }
            SslContextBuilder server = SslContextBuilder.forServer(secret, chain).sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2");
            if (clientCa.isPresent()) {
                server.trustManager(certificates(CLIENT_CA, clientCa.get())).clientAuth(ClientAuth.REQUIRE);
            }
            return server.build();
        } catch (GeneralSecurityException | SSLException e) {
            throw new StartException("callbridge.tcp.tls.*: TLS cannot be used: " + e.getMessage(), e);
        }
    }

    private static void together(String key, Optional<String> value, String needed, Optional<String> there) {
        if (value.isPresent() && there.isEmpty()) {
            throw Settings.invalid(key, value.get(), "together with callbridge." + needed + ", which is missing");
        }
    }

    /** @throws StartException unless the file holds certificates in PEM */
    static X509Certificate[] certificates(String key, String file) {
        try {
            X509Certificate[] found = CertificateFactory.getInstance("X.509").generateCertificates(
                    new ByteArrayInputStream(content(key, file))).toArray(X509Certificate[]::new);
            if (found.length > 0) {
                return found;
            }
        } catch (CertificateException e) {
            throw Settings.invalid(key, file, "a file in PEM with certificates");
        }
        throw Settings.invalid(key, file, "a file in PEM with certificates");
    }

    private static PrivateKey privateKey(String file) {
        Matcher pem = PRIVATE_KEY.matcher(new String(content(KEY, file), StandardCharsets.ISO_8859_1));
        if (!pem.find()) {
            throw Settings.invalid(KEY, file, A_KEY);
        }
        PKCS8EncodedKeySpec encoded = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem.group(1)));
        for (String algorithm : SIGNATURES.keySet()) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
            } catch (InvalidKeySpecException notOfThisKind) {
                continue;
            } catch (GeneralSecurityException everyJvmHasBoth) {
                throw new IllegalStateException(everyJvmHasBoth);
            }
        }
        throw Settings.invalid(KEY, file, A_KEY);
    }

    private static byte[] content(String key, String file) {
        try {
            return Files.readAllBytes(Path.of(file));
        } catch (IOException | IllegalArgumentException e) {
            throw Settings.invalid(key, file, "a file in PEM that can be read");
        }
    }

    /** What one signs, the other must recognise. */
    private static boolean belongTogether(PrivateKey secret, PublicKey certified) throws GeneralSecurityException {
        if (!secret.getAlgorithm().equals(certified.getAlgorithm())) {
            return false;
        }
        Signature signature = Signature.getInstance(SIGNATURES.get(secret.getAlgorithm()));
        signature.initSign(secret);
        byte[] signed = signature.sign();
        signature.initVerify(certified);
        return signature.verify(signed);
    }
}
