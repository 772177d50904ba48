package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterRequest;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FinalStatusTest {

  @TempDir Path directory;

  private FinalApplicationStatus amended(String content) throws IOException {
    Path file = directory.resolve("final-status");
    if (content != null) {
      Files.write(file, content.getBytes(StandardCharsets.UTF_8));
    }
    FinishApplicationMasterRequest request =
        FinishApplicationMasterRequest.newInstance(FinalApplicationStatus.SUCCEEDED, "words", null);
    FinishApplicationMasterRequest amended = new FinalStatus(file.toFile()).amended(request);
    assertEquals("words", amended.getDiagnostics());
    return amended.getFinalApplicationStatus();
  }

  @Test
  void withoutAFileSkeinsStatusStays() throws IOException {
    assertEquals(FinalApplicationStatus.SUCCEEDED, amended(null));
  }

  @Test
  void theFilesStatusIsReported() throws IOException {
    assertEquals(FinalApplicationStatus.KILLED, amended("KILLED\n"));
  }

  @Test
  void aFileThatNamesNoStatusIsAFailure() throws IOException {
    assertEquals(FinalApplicationStatus.FAILED, amended("perhaps"));
  }
}
