package treadle.overlay;

import java.util.function.BooleanSupplier;
import org.apache.hadoop.security.token.SecretManager.InvalidToken;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterRequest;
import org.apache.hadoop.yarn.api.records.FinalApplicationStatus;
import org.apache.hadoop.yarn.exceptions.ApplicationMasterNotRegisteredException;
import org.apache.hadoop.yarn.exceptions.YarnException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides whether the end of this application master is the end of the application. skein takes itself for the last
 * attempt by its number alone, unregisters and then deletes what every attempt starts from; YARN does not count an
 * attempt that was preempted or whose node was lost, and starts another one. So an attempt that YARN ends leaves the
 * word to YARN, and stops right here, before skein deletes anything, unless the application has ended.
 */
final class Ending {

  private static final Logger LOG = LoggerFactory.getLogger(Ending.class);

  /** How skein's words begin when its process got a signal. */
  private static final String SIGNALLED = "Application master shutdown by external signal";

  /** The ResourceManager's answer to a request. */
  interface Call {
    Object to(FinishApplicationMasterRequest request) throws Throwable;
  }

  private final FinalStatus finalStatus;
  private final BooleanSupplier applicationEnded;
  private final Runnable halt;

  Ending(FinalStatus finalStatus, BooleanSupplier applicationEnded, Runnable halt) {
    this.finalStatus = finalStatus;
    this.applicationEnded = applicationEnded;
    this.halt = halt;
  }

  /** Unregisters, if that is ours to do; does not return where another attempt may follow. */
  Object finish(FinishApplicationMasterRequest request, Call resourceManager) throws Throwable {
    if (isYarns(request)) {
      haltUnlessEnded();
      throw new YarnException("YARN has ended this attempt, and the application");
    }
    try {
      return resourceManager.to(finalStatus.amended(request));
    } catch (ApplicationMasterNotRegisteredException e) {
      throw e; // of a ResourceManager that has restarted: AMRMClient registers again
    } catch (YarnException | InvalidToken e) {
      haltUnlessEnded();
      throw e;
    }
  }

  /** Only YARN knows why it has a container end: its node, its memory, preemption. Our program says KILLED then. */
  private boolean isYarns(FinishApplicationMasterRequest request) {
    boolean interrupted = request.getFinalApplicationStatus() == FinalApplicationStatus.KILLED;
    return !finalStatus.isWritten() && (interrupted || request.getDiagnostics().startsWith(SIGNALLED));
  }

  private void haltUnlessEnded() {
    if (!applicationEnded.getAsBoolean()) {
      LOG.warn("YARN has ended this attempt and not the application: its files are left to the next one");
      halt.run();
    }
  }
}
