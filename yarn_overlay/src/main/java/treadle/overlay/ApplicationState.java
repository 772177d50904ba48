package treadle.overlay;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import org.apache.hadoop.yarn.api.ApplicationClientProtocol;
import org.apache.hadoop.yarn.api.protocolrecords.GetApplicationReportRequest;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptId;
import org.apache.hadoop.yarn.api.records.ApplicationReport;
import org.apache.hadoop.yarn.api.records.YarnApplicationState;
import org.apache.hadoop.yarn.exceptions.YarnException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether an application has ended, asked of the ResourceManager, which may still be about to make up its mind. */
final class ApplicationState {

  private static final Logger LOG = LoggerFactory.getLogger(ApplicationState.class);

  private static final Set<YarnApplicationState> ENDED =
      EnumSet.of(YarnApplicationState.FINISHED, YarnApplicationState.FAILED, YarnApplicationState.KILLED);

  private static final long PAUSE_MS = 10;

  /** Opens a connection to the ResourceManager. */
  interface Connection {
    ApplicationClientProtocol open() throws IOException;
  }

  private final ApplicationAttemptId attempt;
  private final Connection connection;
  private final long patienceMs;

  ApplicationState(ApplicationAttemptId attempt, Connection connection, long patienceMs) {
    this.attempt = attempt;
    this.connection = connection;
    this.patienceMs = patienceMs;
  }

  /** Returns whether the application of our attempt has ended; no while a later attempt runs or nobody can tell. */
  boolean hasEnded() {
    long deadline = System.nanoTime() + patienceMs * 1_000_000;
    try {
      ApplicationClientProtocol resourceManager = connection.open();
      while (System.nanoTime() < deadline) {
        ApplicationReport report = report(resourceManager);
        if (ENDED.contains(report.getYarnApplicationState())) {
          return true;
        }
        if (!attempt.equals(report.getCurrentApplicationAttemptId())) {
          return false;
        }
        Thread.sleep(PAUSE_MS);
      }
    } catch (IOException | YarnException e) {
      LOG.warn("The ResourceManager does not tell whether the application has ended", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  private ApplicationReport report(ApplicationClientProtocol resourceManager) throws IOException, YarnException {
    return resourceManager
        .getApplicationReport(GetApplicationReportRequest.newInstance(attempt.getApplicationId()))
        .getApplicationReport();
  }
}
