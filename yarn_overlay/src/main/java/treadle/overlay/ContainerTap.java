package treadle.overlay;

import java.io.Closeable;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateResponse;
import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterResponse;
import org.apache.hadoop.yarn.api.records.Container;
import org.apache.hadoop.yarn.api.records.ContainerStatus;
import org.apache.hadoop.yarn.api.records.NodeReport;
import org.apache.hadoop.yarn.api.records.PreemptionMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends what the ResourceManager says of containers and nodes to a file, one JSON object a line, for the program beside this JVM.
 * Nothing that goes wrong here reaches the caller: skein ends the application at any exception out of an allocate call.
 */
final class ContainerTap implements Closeable {

  private static final Logger LOG = LoggerFactory.getLogger(ContainerTap.class);

  private final File file;
  private OutputStream out;
  private boolean torn;
  private boolean complained;

  ContainerTap(File file) {
    this.file = file;
  }

  void registered(RegisterApplicationMasterResponse response) {
    append(response, ContainerTap::registration);
  }

  void allocated(AllocateResponse response) {
    response.getUpdatedNodes().forEach(node -> append(node, ContainerTap::nodeState)); // before what it did to containers
    response.getAllocatedContainers().forEach(container -> append(container, ContainerTap::grant));
    response.getCompletedContainersStatuses().forEach(status -> append(status, ContainerTap::completion));
    if (response.getPreemptionMessage() != null) {
      append(response.getPreemptionMessage(), ContainerTap::preemption);
    }
  }

  @Override
  public synchronized void close() {
    try {
      if (out != null) {
        out.close();
      }
    } catch (IOException e) {
      complain(e);
    } finally {
      out = null;
    }
  }

  private static JsonLine registration(RegisterApplicationMasterResponse response) {
    return new JsonLine("registered").resources("maximum", response.getMaximumResourceCapability());
  }

  private static JsonLine grant(Container container) {
    return new JsonLine("granted")
        .text("container", container.getId().toString())
        .text("node", container.getNodeId().toString())
        .text("http", container.getNodeHttpAddress())
        .number("priority", container.getPriority().getPriority())
        .resources("resources", container.getResource());
  }

  private static JsonLine completion(ContainerStatus status) {
    return new JsonLine("completed")
        .text("container", status.getContainerId().toString())
        .number("exit_status", status.getExitStatus())
        .text("diagnostics", status.getDiagnostics());
  }

  private static JsonLine nodeState(NodeReport node) {
    return new JsonLine("node")
        .text("node", node.getNodeId().toString())
        .text("state", node.getNodeState().toString())
        .text("health", node.getHealthReport());
  }

  private static JsonLine preemption(PreemptionMessage message) {
    Set<String> ids = new TreeSet<>();
    if (message.getStrictContract() != null) {
      message.getStrictContract().getContainers().forEach(container -> ids.add(container.getId().toString()));
    }
    if (message.getContract() != null) {
      message.getContract().getContainers().forEach(container -> ids.add(container.getId().toString()));
    }
    return new JsonLine("preempting").texts("containers", ids);
  }

  private synchronized <T> void append(T what, Function<T, JsonLine> line) {
    try {
      write(line.apply(what) + "\n");
    } catch (IOException | RuntimeException e) {
      complain(e);
    }
  }

  /** One unbuffered write a line, so that a reader never waits for one; after a torn line the next starts afresh. */
  private void write(String line) throws IOException {
    if (out == null) {
      out = new FileOutputStream(file, true);
    }
    boolean wasTorn = torn;
    torn = true;
    out.write(((wasTorn ? "\n" : "") + line).getBytes(StandardCharsets.UTF_8));
    torn = false;
  }

  private void complain(Exception e) {
    if (!complained) {
      LOG.error("{} lacks what YARN said; further failures are not logged", file.getAbsolutePath(), e);
      complained = true;
    }
  }
}
