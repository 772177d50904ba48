package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import org.apache.hadoop.yarn.api.records.Priority;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceRequest;
import org.apache.hadoop.yarn.client.api.AMRMClient;
import org.apache.hadoop.yarn.client.api.AMRMClient.ContainerRequest;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.exceptions.YarnException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** YARN's own client of an application master, as skein uses it, in front of the overlay. */
class AmrmClientTest {

  private final FakeResourceManager resourceManager = new FakeResourceManager();
  private final AMRMClient<ContainerRequest> client = AMRMClient.createAMRMClient();
  private final ContainerRequest request =
      new ContainerRequest(
          Resource.newInstance(256, 1), null, null, Priority.newInstance(1), true, "@@taskmanager");

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    FakeRpc.resourceManager = resourceManager;
    YarnConfiguration conf = new YarnConfiguration();
    conf.set(YarnConfiguration.IPC_RPC_IMPL, OverlayRpc.class.getName());
    conf.set(OverlayRpc.RPC_CLASS, FakeRpc.class.getName());
    conf.set(OverlayRpc.TAP_FILE, directory.resolve("containers.jsonl").toString());
    conf.set(OverlayRpc.EXCLUDED_NODES_FILE, directory.resolve("excluded-nodes").toString());
    conf.set(OverlayRpc.FINAL_STATUS_FILE, directory.resolve("final-status").toString());
    conf.set(AskWidener.RESOURCES_PREFIX + "taskmanager", "yarn.io/gpu=1");
    client.init(conf);
    client.start();
    client.registerApplicationMaster("localhost", 0, "");
    client.addContainerRequest(request);
  }

  @AfterEach
  void stop() {
    client.stop();
  }

  private ResourceRequest lastAsk() {
    return resourceManager.requests.get(resourceManager.requests.size() - 1).getAskList().get(0);
  }

  @Test
  void anAskThatFailedIsRepeatedInFull() throws Exception {
    resourceManager.nextFailure = new YarnException("not now");
    assertThrows(YarnException.class, () -> client.allocate(0));
    ResourceRequest first = lastAsk();
    client.allocate(0);
    assertEquals(2, resourceManager.requests.size());
    assertEquals(first, lastAsk());
    assertEquals(1, lastAsk().getCapability().getResourceValue("yarn.io/gpu"));
  }

  @Test
  void anAskIsWithdrawnAsItWasMade() throws Exception {
    client.allocate(0);
    ResourceRequest asked = lastAsk();
    client.removeContainerRequest(request);
    client.allocate(0);
    ResourceRequest withdrawn = lastAsk();
    assertEquals(0, withdrawn.getNumContainers());
    withdrawn.setNumContainers(1);
    assertEquals(asked, withdrawn);
    assertEquals(1, withdrawn.getCapability().getResourceValue("yarn.io/gpu"));
  }
}
