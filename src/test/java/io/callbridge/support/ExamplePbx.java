package io.callbridge.support;

import java.util.LinkedHashMap;
import java.util.Map;

/** The PBX that the scenario files describe in words, as settings: every test talks to the same invented company. */
public final class ExamplePbx {

    public static final String PREFIX = "453";
    public static final String DOMAIN = "sip.pbx.example";
    public static final String DID = "74950000001";

    private static final Map<String, String> USERS = Map.of("101", "anna", "102", "boris", "103", "clara",
            "104", "dmitri", "105", "elena", "111", "fyodor");
    private static final Map<String, String> CONTAINERS = Map.of("099", "ivr", "098", "ivr", "880", "queue",
            "881", "queue");

    private ExamplePbx() {
    }

    /** All keys of the PBX {@code main} but its secret, which belongs to one process. */
    public static Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("callbridge.pbx.main.prefix", PREFIX);
        settings.put("callbridge.pbx.main.domain", DOMAIN);
        settings.put("callbridge.pbx.main.country", "RU");
        USERS.forEach((name, user) -> {
            extension(settings, name, "phone");
            settings.put(key(name) + "user", user);
        });
        extension(settings, "120", "phone");
        CONTAINERS.forEach((name, type) -> extension(settings, name, type));
        return settings;
    }

    /** The numeric id of an extension, which is also the first part of its legs' ids. */
    public static String idOf(String extension) {
        return "71" + extension;
    }

    public static String userOf(String extension) {
        return USERS.get(extension);
    }

    private static void extension(Map<String, String> settings, String name, String type) {
        settings.put(key(name) + "type", type);
        settings.put(key(name) + "id", idOf(name));
    }

    private static String key(String extension) {
        return "callbridge.pbx.main.extensions." + extension + ".";
    }
}
