package io.callbridge.admin;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import io.vertx.core.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where a request comes from: from which machine, and from whose page. A browser runs pages of everybody on the machine of the
 * administrator, and sends what they ask for from there, with his cookies.
 */
final class RequestOrigin {

    /** Set by a proxy: then the loopback address is the proxy's, and says nothing about who asks. */
    private static final List<String> PROXY_HEADERS = List.of("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
            "X-Real-IP", "Via");
    /** Names that no DNS server is asked for. */
    private static final Pattern LOOPBACK_HOST = Pattern.compile("(?i)localhost|127(\\.[0-9]{1,3}){3}|\\[(::1|0:0:0:0:0:0:0:1)]");

    private RequestOrigin() {
    }

    /**
     * Whether this machine asks, and asks for this machine: a name that its owner's DNS server points at the loopback address
     * (DNS rebinding) would make any page one of ours.
     */
    static boolean local(HttpServerRequest request) {
        SocketAddress remote = request.remoteAddress();
        String address = remote == null ? null : remote.hostAddress();
        HostAndPort asked = request.authority();
        return address != null && (address.startsWith("127.") || address.equals("::1") || address.equals("0:0:0:0:0:0:0:1"))
                && PROXY_HEADERS.stream().noneMatch(name -> request.headers().contains(name))
                && asked != null && LOOPBACK_HOST.matcher(asked.host()).matches();
    }

    /** Whether no page of another site makes this request; a program that is no browser says nothing about it. */
    static boolean ownPage(HttpServerRequest request) {
        String site = request.getHeader("Sec-Fetch-Site");
        List<String> origins = request.headers().getAll("Origin");
        // "none": the user has typed the address.
        return (site == null || site.equals("same-origin") || site.equals("none"))
                && origins.stream().allMatch(origin -> own(origin, request.authority()));
    }

    /** The scheme may be that of a proxy in front of us; {@code null} as an origin is that of a page in a sandbox. */
    private static boolean own(String origin, HostAndPort asked) {
        try {
            URI page = new URI(origin);
            int usual = "https".equals(page.getScheme()) ? 443 : 80;
            return asked != null && page.getHost() != null && page.getHost().equalsIgnoreCase(asked.host())
                    && (page.getPort() < 0 ? usual : page.getPort()) == (asked.port() < 0 ? usual : asked.port());
        } catch (URISyntaxException noOrigin) {
            return false;
        }
    }
}
