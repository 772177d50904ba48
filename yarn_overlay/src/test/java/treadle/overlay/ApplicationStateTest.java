package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.apache.hadoop.yarn.api.ApplicationClientProtocol;
import org.apache.hadoop.yarn.api.protocolrecords.GetApplicationReportResponse;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptId;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.ApplicationReport;
import org.apache.hadoop.yarn.api.records.YarnApplicationState;
import org.apache.hadoop.yarn.util.Records;
import org.junit.jupiter.api.Test;

class ApplicationStateTest {

  private final Deque<ApplicationReport> reports = new ArrayDeque<>();

  private static ApplicationAttemptId attempt(int number) {
    return ApplicationAttemptId.newInstance(ApplicationId.newInstance(1, 1), number);
  }

  private static ApplicationReport report(YarnApplicationState state, int attempt) {
    ApplicationReport report = Records.newRecord(ApplicationReport.class);
    report.setYarnApplicationState(state);
    report.setCurrentApplicationAttemptId(attempt(attempt));
    return report;
  }

  /** The last of the answers is given again and again. */
  private boolean hasEnded(ApplicationReport... answers) {
    reports.addAll(Arrays.asList(answers));
    return new ApplicationState(attempt(1), this::resourceManager, 200).hasEnded();
  }

  private ApplicationClientProtocol resourceManager() {
    return (ApplicationClientProtocol)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {ApplicationClientProtocol.class},
            (proxy, method, arguments) ->
                GetApplicationReportResponse.newInstance(reports.size() > 1 ? reports.remove() : reports.peek()));
  }

  @Test
  void aKilledOneIsAwaited() {
    assertTrue(hasEnded(report(YarnApplicationState.RUNNING, 1), report(YarnApplicationState.KILLED, 1)));
    assertEquals(1, reports.size());
  }

  @Test
  void oneWithALaterAttemptHasNot() {
    assertFalse(hasEnded(report(YarnApplicationState.RUNNING, 1), report(YarnApplicationState.ACCEPTED, 2)));
  }

  @Test
  void oneThatYarnLetsRunHasNot() {
    assertFalse(hasEnded(report(YarnApplicationState.RUNNING, 1)));
  }

  @Test
  void oneOfWhichNobodyTellsHasNot() {
    assertFalse(
        new ApplicationState(
                attempt(1),
                () -> {
                  throw new IOException("no ResourceManager");
                },
                200)
            .hasEnded());
  }
}
