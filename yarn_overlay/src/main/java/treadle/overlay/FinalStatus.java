package treadle.overlay;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterRequest;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The final status that our program wrote into a file when it came to a final end, in place of the one that skein
 * reports. With attempts left skein unregisters an application that succeeded only, and leaves every other to the next
 * attempt: one that has failed for good is therefore reported to skein as succeeded, and here to the ResourceManager as
 * what it is.
 */
final class FinalStatus {

  private static final Logger LOG = LoggerFactory.getLogger(FinalStatus.class);

  private final File file;

  FinalStatus(File file) {
    this.file = file;
  }

  /** Returns whether our program has said how the application ends. */
  boolean isWritten() {
    return file.exists();
  }

  /** Returns the request with the file's status; unchanged where there is no file. */
  FinishApplicationMasterRequest amended(FinishApplicationMasterRequest request) {
    if (isWritten()) {
      request.setFinalApplicationStatus(read());
    }
    return request;
  }

  /** What can't be read is a failure: whoever wrote the file did not mean success. */
  private FinalApplicationStatus read() {
    try {
      String name = new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8).trim();
      return FinalApplicationStatus.valueOf(name);
    } catch (IOException | IllegalArgumentException e) {
      LOG.error("{} names no final status", file.getAbsolutePath(), e);
      return FinalApplicationStatus.FAILED;
    }
  }
}
