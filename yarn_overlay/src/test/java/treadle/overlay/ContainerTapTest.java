package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateResponse;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateResponse.AllocateResponseBuilder;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptId;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.Container;
import org.apache.hadoop.yarn.api.records.ContainerId;
import org.apache.hadoop.yarn.api.records.ContainerState;
import org.apache.hadoop.yarn.api.records.ContainerStatus;
import org.apache.hadoop.yarn.api.records.NodeId;
import org.apache.hadoop.yarn.api.records.NodeReport;
import org.apache.hadoop.yarn.api.records.NodeState;
import org.apache.hadoop.yarn.api.records.PreemptionContainer;
import org.apache.hadoop.yarn.api.records.PreemptionContract;
import org.apache.hadoop.yarn.api.records.PreemptionMessage;
import org.apache.hadoop.yarn.api.records.Priority;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.StrictPreemptionContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerTapTest {

  private Path file;
  private ContainerTap tap;

  @BeforeEach
  void open(@TempDir Path directory) {
    file = directory.resolve("later").resolve("containers.jsonl");
    tap = new ContainerTap(file.toFile());
  }

  @AfterEach
  void close() {
    tap.close();
  }

  private List<String> lines() throws IOException {
    return Files.readAllLines(file);
  }

  private static AllocateResponseBuilder response() {
    return AllocateResponse.newBuilder()
        .allocatedContainers(Collections.emptyList())
        .completedContainersStatuses(Collections.emptyList());
  }

  private static ContainerId id(int number) {
    return ContainerId.newContainerId(ApplicationAttemptId.newInstance(ApplicationId.newInstance(1700000000000L, 4), 1), number);
  }

  private static Container container(int number, NodeId node) {
    Resource resource = Resource.newInstance(256, 1);
    resource.setResourceValue("yarn.io/gpu", 2);
    return Container.newInstance(id(number), node, "10.0.0.7:8042", resource, Priority.newInstance(5), null);
  }

  private static AllocateResponse completion(String diagnostics) {
    ContainerStatus status = ContainerStatus.newInstance(id(2), ContainerState.COMPLETE, diagnostics, -102);
    return response().completedContainersStatuses(Collections.singletonList(status)).build();
  }

  private static AllocateResponse grants(Container... containers) {
    return response().allocatedContainers(Arrays.asList(containers)).build();
  }

  @Test
  void theRegistrationNamesTheMostThatAContainerCanHave() throws IOException {
    Files.createDirectories(file.getParent());
    FakeResourceManager resourceManager = new FakeResourceManager();
    resourceManager.maximum.setResourceValue("yarn.io/gpu", 4);
    tap.registered(resourceManager.registerApplicationMaster(null));
    assertEquals(
        "{\"event\": \"registered\", \"maximum\": {\"memory-mb\": 8192, \"vcores\": 16, \"yarn.io/gpu\": 4, \"example.com/rdma\": 0}}",
        lines().get(0));
  }

  @Test
  void aGrantNamesNodeAndWhatWasReallyGranted() throws IOException {
    Files.createDirectories(file.getParent());
    tap.allocated(grants(container(2, NodeId.newInstance("10.0.0.7", 45454))));
    assertEquals(
        "{\"event\": \"granted\", \"container\": \"container_1700000000000_0004_01_000002\", \"node\": \"10.0.0.7:45454\", "
            + "\"http\": \"10.0.0.7:8042\", \"priority\": 5, "
            + "\"resources\": {\"memory-mb\": 256, \"vcores\": 1, \"yarn.io/gpu\": 2, \"example.com/rdma\": 0}}",
        lines().get(0));
  }

  @Test
  void aNodeThatChangedHasStateAndHealthReport() throws IOException {
    Files.createDirectories(file.getParent());
    NodeReport node =
        NodeReport.newInstance(NodeId.newInstance("10.0.0.7", 45454), NodeState.UNHEALTHY, null, null, null, null, 0, "1/1 dirs full", 0);
    tap.allocated(response().updatedNodes(Collections.singletonList(node)).build());
    assertEquals(
        "{\"event\": \"node\", \"node\": \"10.0.0.7:45454\", \"state\": \"UNHEALTHY\", \"health\": \"1/1 dirs full\"}", lines().get(0));
  }

  @Test
  void aCompletionHasExitStatusAndDiagnostics() throws IOException {
    Files.createDirectories(file.getParent());
    tap.allocated(completion("Preempted\nby \"scheduler\""));
    assertEquals(
        "{\"event\": \"completed\", \"container\": \"container_1700000000000_0004_01_000002\", \"exit_status\": -102, "
            + "\"diagnostics\": \"Preempted\\u000aby \\\"scheduler\\\"\"}",
        lines().get(0));
  }

  @Test
  void aPreemptionNoticeNamesContainersOfBothContracts() throws IOException {
    Files.createDirectories(file.getParent());
    Set<PreemptionContainer> strict = Collections.singleton(PreemptionContainer.newInstance(id(3)));
    Set<PreemptionContainer> negotiable =
        new LinkedHashSet<>(Arrays.asList(PreemptionContainer.newInstance(id(2)), PreemptionContainer.newInstance(id(3))));
    PreemptionMessage message =
        PreemptionMessage.newInstance(
            StrictPreemptionContract.newInstance(strict),
            PreemptionContract.newInstance(Collections.emptyList(), negotiable));
    tap.allocated(response().preemptionMessage(message).build());
    assertEquals(
        "{\"event\": \"preempting\", \"containers\": [\"container_1700000000000_0004_01_000002\", "
            + "\"container_1700000000000_0004_01_000003\"]}",
        lines().get(0));
  }

  @Test
  void whatCannotBeWrittenIsLostAndTheRestFollows() throws IOException {
    tap.allocated(completion("the directory is not there yet"));
    Files.createDirectories(file.getParent());
    tap.allocated(completion("now it is"));
    assertEquals(1, lines().size());
  }

  @Test
  void aRecordThatCannotBeReadDoesNotTakeTheOthersWithIt() throws IOException {
    Files.createDirectories(file.getParent());
    tap.allocated(grants(container(2, null), container(3, NodeId.newInstance("10.0.0.7", 45454))));
    assertEquals(1, lines().size());
  }
}
