package io.callbridge.store;

import io.callbridge.support.BridgeInJvm;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** The same on a database that needs a server. */
@QuarkusTest
@TestProfile(BridgeInJvm.OnPostgres.class)
class StatementsIT extends StatementsTest {

    StatementsIT() {
        most = 20;
    }
}
