package io.callbridge;

import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.wireMockConfig;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.tomakehurst.wiremock.WireMockServer;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Ports;
import io.callbridge.support.Vocabulary;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Everything that routes/README.md says a route may use works in a route that is put beside the packaged application. */
@Tag("native")
class VocabularyIT {

    @AutoClose("stop")
    private static WireMockServer stranger;
    @AutoClose
    private static BridgeProcess bridge;

    @BeforeAll
    static void start() {
        stranger = new WireMockServer(wireMockConfig().dynamicPort().dynamicHttpsPort());
        stranger.start();
        bridge = BridgeProcess.builder().setting("vocabulary.netty.port", Integer.toString(Ports.free()))
                .setting("vocabulary.https.port", Integer.toString(stranger.httpsPort())).editRoutes(VocabularyIT::add).start();
    }

    static List<Vocabulary.Word> words() {
        return Vocabulary.words();
    }

    @ParameterizedTest
    @MethodSource("words")
    void works(Vocabulary.Word word) {
        HttpResponse<String> answer = bridge.get(word.path() + "?number=7");
        assertEquals(word.answer(), answer.body(), () -> answer.statusCode() + bridge.tail());
        assertTrue(answer.statusCode() == 200, answer::toString);
    }

    /** Of what its answer does not show. */
    @Test
    void whatIsLoggedIsThere() {
        bridge.get("/vocabulary/steps/log");
        bridge.get("/vocabulary/components/log");
        assertAll(() -> assertTrue(bridge.output().contains("the step log speaks"), bridge::tail),
                () -> assertTrue(bridge.output().contains("Body: the component log speaks"), bridge::tail));
    }

    private static void add(Path routes) throws IOException {
        for (Vocabulary.Word word : words()) {
            Files.writeString(routes.resolve(word.file()), word.route());
        }
    }
}
