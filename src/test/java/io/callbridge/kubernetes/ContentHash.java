package io.callbridge.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/** The end of a generated ConfigMap's name: a hash of its content, in the letters that kustomize uses. */
final class ContentHash {

    private static final ObjectMapper SORTED = JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();
    private static final int LENGTH = 10;

    private ContentHash() {
    }

    static String of(ObjectNode data) {
        // Without the name: kustomize takes the hash before the object has one.
        Map<String, Object> content = Map.of("kind", "ConfigMap", "name", "", "data", SORTED.convertValue(data, Map.class));
        try {
            // As Go writes JSON, which does so with HTML in mind.
            String json = SORTED.writeValueAsString(content).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
                    .replace("\u2028", "\\u2028").replace("\u2029", "\\u2029");
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(json.getBytes(StandardCharsets.UTF_8));
            // No vowel and nothing like one, so that a hash is no word.
            return HexFormat.of().formatHex(hash).substring(0, LENGTH).replace('0', 'g').replace('1', 'h').replace('3', 'k')
                    .replace('a', 'm').replace('e', 't');
        } catch (JsonProcessingException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
