package io.callbridge.platform;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.apache.camel.CamelContext;
import org.apache.camel.support.jsse.SSLContextParameters;

/** TLS to CRMs and to what has their recordings, when an authority of one's own has signed one of their certificates. */
final class CrmTls extends SSLContextParameters {

    static final String CA = "crm.tls-ca";

    private final SSLContext trusting;

    private CrmTls(SSLContext trusting) {
        this.trusting = trusting;
    }

    /** @param file in PEM, with the authorities that count beside the usual ones */
    static CrmTls of(String file) {
        return new CrmTls(trusting(CA, file));
    }

    /**
     * @param file in PEM, with the authorities that count beside the usual ones
     * @throws StartException if they cannot be read; it names the key
     */
    static SSLContext trusting(String key, String file) {
        try {
            KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            X509Certificate[] own = TcpTls.certificates(key, file);
            for (int i = 0; i < own.length; i++) {
                authorities.setCertificateEntry("own-" + i, own[i]);
            }
            X509Certificate[] usual = usualAuthorities();
            for (int i = 0; i < usual.length; i++) {
                authorities.setCertificateEntry("usual-" + i, usual[i]);
            }
            TrustManagerFactory both = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            both.init(authorities);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, both.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new StartException("callbridge." + key + ": TLS cannot be used: " + e.getMessage(), e);
        }
    }

    private static X509Certificate[] usualAuthorities() throws GeneralSecurityException {
        TrustManagerFactory usual = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        usual.init((KeyStore) null);
        return Arrays.stream(usual.getTrustManagers()).filter(X509TrustManager.class::isInstance).map(X509TrustManager.class::cast)
                .flatMap(manager -> Arrays.stream(manager.getAcceptedIssuers())).toArray(X509Certificate[]::new);
    }

    @Override
    public SSLContext createSSLContext(CamelContext context) {
        return trusting;
    }
}
