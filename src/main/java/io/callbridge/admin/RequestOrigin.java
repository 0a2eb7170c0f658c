package io.callbridge.admin;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;

/**
 * From whose page a request comes, and by which way. A browser runs pages of everybody on the machine of the administrator, and
 * sends what they ask for from there, with his cookies.
 */
final class RequestOrigin {

    /** Sent by the console: no page of another site may send a header of its own, unless it was asked before. */
    private static final String CONSOLE = "Callbridge-Console";
    /** Which part of the path a proxy has taken off. */
    static final String PREFIX = "X-Forwarded-Prefix";

    private RequestOrigin() {
    }

    /** Whether no page of another site makes this request; a program that is no browser says nothing about it. */
    static boolean ownPage(HttpServerRequest request) {
        String site = request.getHeader("Sec-Fetch-Site");
        List<String> origins = request.headers().getAll("Origin");
        // "none": the user has typed the address. Behind a proxy the authority may be another than the browser's.
        return (site == null || site.equals("same-origin") || site.equals("none"))
                && (request.headers().contains(CONSOLE) || origins.stream().allMatch(origin -> own(origin, request.authority())));
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

    /** What stands in front of a path of ours where the client asks; empty: nothing, or nothing that could be a path. */
    static String prefix(String header) {
        return header != null && header.matches("(/[A-Za-z0-9._~-]+)+/?") ? header.replaceFirst("/$", "") : "";
    }

    static String prefix(HttpServerRequest request) {
        return prefix(request.getHeader(PREFIX));
    }
}
