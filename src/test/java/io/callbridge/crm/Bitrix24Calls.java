package io.callbridge.crm;

import io.callbridge.crm.Bitrix24Directory.Entity;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The external calls of a Bitrix24 portal. Bitrix24 documentation, pages telephony.externalCall.*; what was only seen in
 * production, by MikoPBX's ModuleBitrix24Integration, is marked with its commit.
 */
final class Bitrix24Calls {

    /** A registered call; the second half is {@code null} until it is finished. */
    static final class Call {

        final String callId;
        final String externalId;
        final String phone;
        final long type;
        final long user;
        final String line;
        final long startedAt;
        final String entityType;
        final Long entityId;
        private final Map<String, Object> answer;
        private final double registeredAt;
        private final Set<Long> shown = new LinkedHashSet<>();
        private Long finishedBy;
        private long seconds;
        private String status;
        private String recording;
        private int recordings;

        private Call(String callId, Request request, Map<String, Object> answer, double now) {
            this.callId = callId;
            this.externalId = request.externalId;
            this.phone = request.phone;
            this.type = request.type;
            this.user = request.user;
            this.line = request.line;
            this.startedAt = request.startedAt;
            this.entityType = (String) answer.get("CRM_ENTITY_TYPE");
            this.entityId = (Long) answer.get("CRM_ENTITY_ID");
            this.answer = answer;
            this.registeredAt = now;
        }

        boolean finished() {
            return finishedBy != null;
        }

        Set<Long> shown() {
            return Set.copyOf(shown);
        }

        /** How many times a recording was attached; each replaced the one before. */
        int recordings() {
            return recordings;
        }
    }

    /** What makes two registrations one, and the start, which does not. */
    private record Request(String client, String phone, long type, long user, String line, String externalId, long startedAt) {

        boolean same(Request other) {
            return client.equals(other.client) && phone.equals(other.phone) && type == other.type && user == other.user
                    && Objects.equals(line, other.line) && Objects.equals(externalId, other.externalId);
        }
    }

    private static final double WINDOW_SECONDS = 30 * 60;
    private static final Pattern PHONE = Pattern.compile("\\+?[0-9]{3,15}");
    private static final Set<String> STATUSES = Set.of("200", "304", "603", "603-S", "403", "404", "486", "484", "503", "480", "402",
            "423", "OTHER");
    private static final Pattern PRIVATE = Pattern.compile(
            "localhost|127\\..*|10\\..*|192\\.168\\..*|172\\.(1[6-9]|2[0-9]|3[01])\\..*|\\[::1]");

    private final Bitrix24Directory directory;
    private final Map<Request, Call> registrations = new LinkedHashMap<>();
    private final Map<String, Call> calls = new LinkedHashMap<>();
    private final Map<String, Call> uploads = new HashMap<>();
    private final Map<String, Integer> finishes = new HashMap<>();
    private final List<Supplier<CrmEffect>> effects = new ArrayList<>();
    boolean leadsFail;
    boolean publicRecordingsOnly;
    int recordServerStatus = 200;
    private long lastId;

    Bitrix24Calls(Bitrix24Directory directory) {
        this.directory = directory;
    }

    /** For 30 minutes the same registration has the same CALL_ID, finished or not; start and entity do not count. */
    Map<String, Object> register(Bitrix24Params params, String client, double now) {
        params.only("USER_ID", "USER_PHONE_INNER", "PHONE_NUMBER", "TYPE", "CALL_START_DATE", "CRM_CREATE", "CRM_SOURCE",
                "CRM_ENTITY_TYPE", "CRM_ENTITY_ID", "SHOW", "ADD_TO_CHAT", "CALL_LIST_ID", "LINE_NUMBER", "EXTERNAL_CALL_ID");
        boolean show = params.flag("SHOW", true);
        params.flag("ADD_TO_CHAT", true);
        params.whole("CALL_LIST_ID");
        params.text("CRM_SOURCE");
        Request request = request(params, client, now);
        boolean create = params.flag("CRM_CREATE", false);
        String entityType = params.text("CRM_ENTITY_TYPE");
        Long entityId = params.whole("CRM_ENTITY_ID");
        if (entityType != null && !Set.of("CONTACT", "COMPANY", "LEAD").contains(entityType)
                || (entityType == null) != (entityId == null)) {
            throw Bitrix24Error.strict("CRM_ENTITY_TYPE and CRM_ENTITY_ID");
        }
        Call call = registrations.entrySet().stream()
                .filter(old -> old.getKey().same(request) && now - old.getValue().registeredAt < WINDOW_SECONDS)
                .map(Map.Entry::getValue).findFirst().orElse(null);
        if (call == null) {
            Map<String, Object> answer = new LinkedHashMap<>();
            String id = "externalCall." + UUID.randomUUID().toString().replace("-", "") + '.' + (long) now;
            answer.put("CALL_ID", id);
            answer.putAll(entity(request, entityType, entityId, create));
            call = new Call(id, request, answer, now);
            registrations.put(request, call);
            calls.put(id, call);
        }
        if (show && !call.finished()) {
            show(call, call.user);
        }
        return call.answer;
    }

    /** True: the command was sent; false: there is no such call. That a finished call counts as unknown is inferred. */
    boolean show(Bitrix24Params params) {
        Call call = active(params.only("CALL_ID", "USER_ID"));
        List<Long> users = params.wholes("USER_ID");
        if (call != null) {
            (users.isEmpty() ? List.of(call.user) : users).stream().filter(directory::employs).forEach(user -> show(call, user));
        }
        return call != null;
    }

    /** Without users the registered one is meant; that is inferred from show. */
    boolean hide(Bitrix24Params params) {
        Call call = active(params.only("CALL_ID", "USER_ID"));
        List<Long> users = params.wholes("USER_ID");
        if (call != null) {
            (users.isEmpty() ? List.of(call.user) : users).forEach(user -> hide(call, user));
        }
        return call != null;
    }

    /** Only the first finish counts: later ones find no call. Seen by MikoPBX, commit 6a746ed. */
    Map<String, Object> finish(Bitrix24Params params, boolean application, double now) {
        params.only("CALL_ID", "USER_ID", "USER_PHONE_INNER", "DURATION", "STATUS_CODE", "FAILED_REASON", "COST", "COST_CURRENCY",
                "VOTE", "ADD_TO_CHAT", "RECORD_URL");
        String id = callId(params);
        long seconds = Objects.requireNonNullElse(params.whole("DURATION"), 0L);
        String status = Objects.requireNonNullElse(params.text("STATUS_CODE"), seconds > 0 ? "200" : "304");
        Long vote = params.whole("VOTE");
        String reason = Objects.requireNonNullElse(params.text("FAILED_REASON"), "");
        String currency = Objects.requireNonNullElse(params.text("COST_CURRENCY"), "");
        String recording = params.text("RECORD_URL");
        params.flag("ADD_TO_CHAT", true);
        if (seconds < 0 || !STATUSES.contains(status) || vote != null && (vote < 1 || vote > 5)) {
            throw Bitrix24Error.strict("DURATION, STATUS_CODE or VOTE");
        }
        long user = directory.user(params);
        Call call = calls.get(id);
        if (call == null || call.finished()) {
            throw Bitrix24Error.core("Call is not found (call should be registered prior to finishing)");
        }
        call.finishedBy = user;
        call.seconds = seconds;
        call.status = status;
        call.recording = recording;
        finishes.merge(String.valueOf(call.externalId), 1, Integer::sum);
        // Bitrix24 documentation, telephony.externalCall.finish: the card is hidden by Bitrix24 itself.
        List.copyOf(call.shown).forEach(who -> hide(call, who));
        effects.add(() -> new CrmEffect(incoming(call) && !call.status.equals("200") ? CrmEffect.Kind.MISSED : CrmEffect.Kind.CALL,
                call.externalId, String.valueOf(call.finishedBy), CrmEffect.digits(call.phone), incoming(call) ? "in" : "out",
                call.status, call.seconds, call.startedAt, call.recording));
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("CALL_ID", call.callId);
        row.put("EXTERNAL_CALL_ID", call.externalId);
        row.put("PORTAL_USER_ID", user);
        row.put("PHONE_NUMBER", call.phone);
        row.put("PORTAL_NUMBER", Objects.requireNonNullElse(call.line, ""));
        row.put("INCOMING", String.valueOf(call.type));
        row.put("CALL_DURATION", seconds);
        // As in the documentation's sample: an empty object, sometimes.
        row.put("CALL_START_DATE", ++lastId % 2 == 1 ? Map.of()
                : DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(Instant.ofEpochSecond(call.startedAt).atOffset(ZoneOffset.ofHours(3))));
        row.put("CALL_STATUS", status.equals("200") ? 1 : 0);
        row.put("CALL_VOTE", vote);
        row.put("COST", params.has("COST") ? params.get("COST").asDouble() : 0);
        row.put("COST_CURRENCY", currency);
        row.put("CALL_FAILED_CODE", status);
        row.put("CALL_FAILED_REASON", reason);
        row.put("REST_APP_ID", application ? "3" : null);
        row.put("REST_APP_NAME", application ? "Application of the tests" : null);
        row.put("CRM_ACTIVITY_ID", 7000 + lastId);
        row.put("COMMENT", null);
        row.put("CRM_ENTITY_TYPE", call.entityType);
        row.put("CRM_ENTITY_ID", call.entityId);
        row.put("ID", lastId);
        return row;
    }

    /** After finish only; a later recording replaces the earlier one, so it may be repeated. */
    Map<String, Object> attach(Bitrix24Params params, String origin) {
        params.only("CALL_ID", "RECORD_URL", "FILENAME", "FILE_CONTENT");
        String id = callId(params);
        String url = params.text("RECORD_URL");
        String name = params.text("FILENAME");
        String content = params.text("FILE_CONTENT");
        if (url == null && name == null) {
            throw Bitrix24Error.nameless("Required parameters are not set. Request should contain either URL or FILENAME parameter");
        }
        Call call = calls.get(id);
        if (call == null || !call.finished()) {
            throw Bitrix24Error.nameless("Call is not found in the statistic table. It looks like it is not finished yet.");
        }
        checkName(name == null ? url.replaceAll("[?#].*", "") : name);
        if (url != null) {
            checkDownload(url);
        } else if (content == null) {
            String token = UUID.randomUUID().toString();
            uploads.put(token + ' ' + name, call);
            return Map.of("uploadUrl", origin + "/rest/upload.json?token=" + token + "&filename=" + name, "fieldName", "file");
        } else {
            checkContent(content);
        }
        return record(call, url != null ? url : name);
    }

    /** What goes to uploadUrl. Its answer is not documented; this one is inferred from attachRecord's. */
    Map<String, Object> upload(StandIn.Request request) {
        Map<String, String> given = request.parameters();
        String type = request.header("Content-Type");
        Call call = uploads.get(given.get("token") + ' ' + given.get("filename"));
        if (!request.method().equals("POST") || call == null || type == null || !type.startsWith("multipart/form-data; boundary=")
                || !request.text().contains("name=\"file\"; filename=")) {
            throw Bitrix24Error.core("File content is empty.");
        }
        return record(call, given.get("filename"));
    }

    List<CrmEffect> effects() {
        return effects.stream().map(Supplier::get).toList();
    }

    List<Call> calls(String externalId) {
        return calls.values().stream().filter(call -> Objects.equals(call.externalId, externalId)).toList();
    }

    int finishes(String externalId) {
        return finishes.getOrDefault(externalId, 0);
    }

    private Request request(Bitrix24Params params, String client, double now) {
        long user = directory.user(params);
        Long type = params.has("TYPE") && params.get("TYPE").asLong(0) >= 1 && params.get("TYPE").asLong() <= 5 ? params.whole("TYPE")
                : null;
        if (type == null) {
            throw Bitrix24Error.core("Unknown TYPE");
        }
        long startedAt = (long) now;
        try {
            String start = params.text("CALL_START_DATE");
            startedAt = start == null ? startedAt : OffsetDateTime.parse(start).toEpochSecond();
        } catch (DateTimeParseException e) {
            throw Bitrix24Error.core("CALL_START_DATE should be in the ISO-8601 format");
        }
        String phone = Objects.requireNonNullElse(params.text("PHONE_NUMBER"), "").replaceAll("[ ()-]", "");
        if (!PHONE.matcher(phone).matches()) {
            throw Bitrix24Error.core("Unsupported phone number format");
        }
        return new Request(client, phone, type, user, params.text("LINE_NUMBER"), params.text("EXTERNAL_CALL_ID"), startedAt);
    }

    /** A lead that could not be created is a success with an empty type. Seen in bitrix24-php-sdk, issue 335. */
    private Map<String, Object> entity(Request request, String type, Long id, boolean create) {
        List<Entity> known = directory.find(request.phone);
        Map<String, Object> part = new LinkedHashMap<>();
        part.put("CRM_CREATED_LEAD", null);
        part.put("CRM_CREATED_ENTITIES", List.of());
        part.put("CRM_ENTITY_TYPE", type != null ? type : known.isEmpty() ? "" : known.get(0).type());
        part.put("CRM_ENTITY_ID", type != null ? id : known.isEmpty() ? null : (Long) known.get(0).id());
        if (type == null && known.isEmpty() && create && leadsFail) {
            part.put("LEAD_CREATION_ERROR", "Lead creation is disabled for local users");
        } else if (type == null && known.isEmpty() && create) {
            Entity lead = directory.createLead(request.phone, request.user);
            part.put("CRM_CREATED_LEAD", lead.id());
            part.put("CRM_CREATED_ENTITIES", List.of(Map.of("ENTITY_TYPE", "LEAD", "ENTITY_ID", lead.id())));
            part.put("CRM_ENTITY_TYPE", "LEAD");
            part.put("CRM_ENTITY_ID", lead.id());
        }
        return part;
    }

    private Call active(Bitrix24Params params) {
        Call call = calls.get(callId(params));
        return call == null || call.finished() ? null : call;
    }

    private void show(Call call, long user) {
        if (call.shown.add(user)) {
            effects.add(() -> card(CrmEffect.Kind.CARD, call, user));
        }
    }

    private void hide(Call call, long user) {
        if (call.shown.remove(user)) {
            effects.add(() -> card(CrmEffect.Kind.CARD_END, call, user));
        }
    }

    private Map<String, Object> record(Call call, String recording) {
        call.recording = recording;
        call.recordings++;
        return Map.of("FILE_ID", 9000 + call.recordings);
    }

    private static CrmEffect card(CrmEffect.Kind kind, Call call, long user) {
        return new CrmEffect(kind, call.externalId, String.valueOf(user), CrmEffect.digits(call.phone), incoming(call) ? "in" : "out",
                null, null, null, null);
    }

    private static boolean incoming(Call call) {
        return call.type == 2 || call.type == 3;
    }

    private static String callId(Bitrix24Params params) {
        if (!params.get("CALL_ID").isTextual()) {
            throw new Bitrix24Error(400, "INVALID_ARGUMENT", "CALL_ID must be a string");
        }
        return params.text("CALL_ID");
    }

    private static void checkName(String name) {
        if (name.isEmpty()) {
            throw Bitrix24Error.core("File name is empty");
        }
        if (!name.endsWith(".wav") && !name.endsWith(".mp3")) {
            throw Bitrix24Error.core("Wrong file extension. Only wav and mp3 are allowed");
        }
    }

    /** Nothing is fetched: what the recording's server would answer is set. */
    private void checkDownload(String url) {
        if (publicRecordingsOnly && PRIVATE.matcher(Objects.requireNonNullElse(URI.create(url).getHost(), "localhost")).matches()) {
            throw Bitrix24Error.nameless("Record URL resolves to a non-public address and was blocked.");
        }
        if (recordServerStatus != 200) {
            throw Bitrix24Error.core("Server returns HTTP error code " + recordServerStatus);
        }
    }

    private static void checkContent(String content) {
        if (content.isEmpty()) {
            throw Bitrix24Error.core("File content is empty.");
        }
        try {
            Base64.getDecoder().decode(content.getBytes(StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            throw Bitrix24Error.core("File content is not properly encoded. Base64 encoding is expected.");
        }
    }
}
