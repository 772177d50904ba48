package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.security.token.SecretManager.InvalidToken;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterRequest;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.apache.hadoop.yarn.exceptions.ApplicationMasterNotRegisteredException;
import org.apache.hadoop.yarn.exceptions.InvalidApplicationMasterRequestException;
import org.apache.hadoop.yarn.exceptions.YarnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EndingTest {

  private static final String SIGNALLED = "Application master shutdown by external signal. This usually means that …";

  @TempDir Path directory;
  private boolean ended;
  private boolean halted;
  private FinalApplicationStatus told;
  private Exception refusal;

  private Object finish(String words) throws Throwable {
    return finish(FinalApplicationStatus.FAILED, words);
  }

  private Object finish(FinalApplicationStatus status, String words) throws Throwable {
    Ending ending = new Ending(new FinalStatus(directory.resolve("final-status").toFile()), () -> ended, () -> halted = true);
    return ending.finish(FinishApplicationMasterRequest.newInstance(status, words, null), this::answer);
  }

  private Object answer(FinishApplicationMasterRequest request) throws Exception {
    if (refusal != null) {
      throw refusal;
    }
    told = request.getFinalApplicationStatus();
    return "unregistered";
  }

  private void finalStatus(String status) throws IOException {
    Files.write(directory.resolve("final-status"), status.getBytes());
  }

  @Test
  void whatOurProgramSaidIsToldAlsoAfterASignal() throws Throwable {
    finalStatus("SUCCEEDED");
    assertEquals("unregistered", finish(SIGNALLED));
    assertEquals(FinalApplicationStatus.SUCCEEDED, told);
  }

  @Test
  void whatSkeinFoundIsTold() throws Throwable {
    assertEquals("unregistered", finish("Failure in container allocator"));
    assertEquals(FinalApplicationStatus.FAILED, told);
    assertFalse(halted);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anAttemptThatASignalEndsLeavesTheWordToYarn(boolean ended) {
    this.ended = ended;
    assertThrows(YarnException.class, () -> finish(SIGNALLED));
    assertNull(told);
    assertEquals(!ended, halted);
  }

  @Test
  void soDoesOneWhoseProgramWasInterrupted() {
    assertThrows(YarnException.class, () -> finish(FinalApplicationStatus.KILLED, "Stopped by SIGTERM"));
    assertNull(told);
    assertTrue(halted);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anAttemptThatYarnKnowsNoMoreLeavesTheFilesUnlessTheApplicationHasEnded(boolean ended) throws Exception {
    finalStatus("SUCCEEDED");
    this.ended = ended;
    refusal = new InvalidApplicationMasterRequestException("Application doesn't exist in cache");
    assertSame(refusal, assertThrows(YarnException.class, () -> finish("done")));
    assertEquals(!ended, halted);
  }

  @Test
  void aTokenThatIsRefusedIsSuchAnAnswer() {
    refusal = new InvalidToken("appattempt_1_0001_000001 not found in AMRMTokenSecretManager.");
    assertSame(refusal, assertThrows(InvalidToken.class, () -> finish("done")));
    assertTrue(halted);
  }

  @Test
  void aRestartedOrSilentResourceManagerIsNone() {
    refusal = new ApplicationMasterNotRegisteredException("restarted");
    assertSame(refusal, assertThrows(YarnException.class, () -> finish("done")));
    refusal = new IOException("connection lost");
    assertSame(refusal, assertThrows(IOException.class, () -> finish("done")));
    assertFalse(halted);
  }
}
