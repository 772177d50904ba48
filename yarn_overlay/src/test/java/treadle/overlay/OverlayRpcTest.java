package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.ipc.RPC;
import org.apache.hadoop.ipc.Server;
import org.apache.hadoop.yarn.api.ApplicationClientProtocol;
import org.apache.hadoop.yarn.api.ApplicationMasterProtocol;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.records.Priority;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceRequest;
import org.apache.hadoop.yarn.exceptions.ApplicationMasterNotRegisteredException;
import org.apache.hadoop.yarn.ipc.YarnRPC;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OverlayRpcTest {

  private static final InetSocketAddress NOWHERE = new InetSocketAddress("localhost", 1);

  @TempDir Path directory;
  private final Configuration conf = new Configuration(false);
  private final FakeResourceManager resourceManager = new FakeResourceManager();

  @BeforeEach
  void configure() {
    FakeRpc.resourceManager = resourceManager;
    conf.set("yarn.ipc.rpc.class", OverlayRpc.class.getName());
    conf.set(OverlayRpc.RPC_CLASS, FakeRpc.class.getName());
    conf.set(OverlayRpc.TAP_FILE, directory.resolve("containers.jsonl").toString());
    conf.set(OverlayRpc.EXCLUDED_NODES_FILE, directory.resolve("excluded-nodes").toString());
    conf.set(OverlayRpc.FINAL_STATUS_FILE, directory.resolve("final-status").toString());
    conf.set(AskWidener.RESOURCES_PREFIX + "taskmanager", "yarn.io/gpu=1,example.com/rdma=2");
  }

  private ApplicationMasterProtocol proxy() {
    return (ApplicationMasterProtocol)
        YarnRPC.create(conf).getProxy(ApplicationMasterProtocol.class, NOWHERE, conf);
  }

  private static AllocateRequest request() {
    ResourceRequest ask =
        ResourceRequest.newInstance(
            Priority.newInstance(3), "*", Resource.newInstance(256, 1), 1, true, "@@taskmanager");
    return AllocateRequest.newInstance(7, 0.5f, Collections.singletonList(ask), null, null);
  }

  @Test
  void onlyTheResourceManagersSideOfAnApplicationMasterIsWrapped() {
    assertSame(
        resourceManager, YarnRPC.create(conf).getProxy(ApplicationClientProtocol.class, NOWHERE, conf));
    assertNotSame(resourceManager, proxy());
  }

  @Test
  void hadoopsOwnRpcIsUsedWhereNoneWasConfigured() throws IOException {
    conf.unset(OverlayRpc.RPC_CLASS);
    Object stub = YarnRPC.create(conf).getProxy(ApplicationClientProtocol.class, NOWHERE, conf);
    assertEquals("ApplicationClientProtocolPBClientImpl", stub.getClass().getSimpleName());
    YarnRPC.create(conf).stopProxy(stub, conf);
  }

  @Test
  void allocateRequestsAreWidenedOnTheirWay() throws Exception {
    proxy().allocate(request());
    ResourceRequest ask = resourceManager.requests.get(0).getAskList().get(0);
    assertEquals(1, ask.getCapability().getResourceValue("yarn.io/gpu"));
    assertEquals(2, ask.getCapability().getResourceValue("example.com/rdma"));
  }

  @Test
  void whatComesBackIsTappedAndHandedOn() throws Exception {
    proxy().registerApplicationMaster(null);
    assertEquals(8, proxy().allocate(request()).getResponseId());
    List<String> lines = Files.readAllLines(directory.resolve("containers.jsonl"));
    assertEquals(1, lines.size());
    assertTrue(lines.get(0).startsWith("{\"event\": \"registered\", "), lines.get(0));
  }

  @Test
  void failuresKeepTheirType() {
    ApplicationMasterProtocol proxy = proxy();
    resourceManager.nextFailure = new ApplicationMasterNotRegisteredException("restarted");
    assertThrows(ApplicationMasterNotRegisteredException.class, () -> proxy.allocate(request()));
    resourceManager.nextFailure = new IOException("connection lost");
    assertEquals(
        "connection lost", assertThrows(IOException.class, () -> proxy.allocate(request())).getMessage());
  }

  private List<String> lastExcluded() {
    return resourceManager.requests.get(resourceManager.requests.size() - 1).getResourceBlacklistRequest().getBlacklistAdditions();
  }

  @Test
  void excludedNodesAreSentOnceAndAgainAfterAResync() throws Exception {
    Files.write(directory.resolve("excluded-nodes"), Collections.singletonList("bad"));
    ApplicationMasterProtocol proxy = proxy();
    AllocateRequest request = request();
    proxy.allocate(request);
    assertEquals(Collections.singletonList("bad"), lastExcluded());
    assertEquals(request(), request); // AMRMClient's own is untouched
    proxy.allocate(request);
    assertEquals(request.getResourceBlacklistRequest(), resourceManager.requests.get(1).getResourceBlacklistRequest());
    resourceManager.nextFailure = new ApplicationMasterNotRegisteredException("restarted");
    assertThrows(ApplicationMasterNotRegisteredException.class, () -> proxy.allocate(request));
    proxy.registerApplicationMaster(null);
    proxy.allocate(request);
    assertEquals(Collections.singletonList("bad"), lastExcluded());
  }

  @Test
  void hadoopsStopProxyClosesTheStubBehind() {
    RPC.stopProxy(proxy());
    assertTrue(resourceManager.closed);
  }

  @Test
  void theRpcsOwnStopProxyClosesTheStubBehind() {
    ApplicationMasterProtocol proxy = proxy();
    assertInstanceOf(Closeable.class, proxy);
    YarnRPC.create(conf).stopProxy(proxy, conf);
    assertTrue(resourceManager.closed);
  }

  @Test
  void otherStubsAreStoppedByTheConfiguredRpc() {
    YarnRPC.create(conf).stopProxy(resourceManager, conf);
    assertTrue(resourceManager.closed);
  }

  @Test
  void aMissingTapFileFailsBeforeAnythingIsConnected() {
    conf.unset(OverlayRpc.TAP_FILE);
    String message = assertThrows(IllegalArgumentException.class, this::proxy).getMessage();
    assertTrue(message.contains(OverlayRpc.TAP_FILE), message);
  }

  @Test
  void aTapThatCannotWriteDoesNotReachTheCaller() throws Exception {
    conf.set(OverlayRpc.TAP_FILE, directory.toString());
    proxy().registerApplicationMaster(null);
    assertEquals(8, proxy().allocate(request()).getResponseId());
  }

  @Test
  void widenedAsksSurviveTheWire() throws Exception {
    conf.unset(OverlayRpc.RPC_CLASS);
    YarnRPC rpc = YarnRPC.create(conf);
    Server server =
        rpc.getServer(
            ApplicationMasterProtocol.class, resourceManager, new InetSocketAddress("localhost", 0), conf, null, 1);
    server.start();
    try {
      InetSocketAddress address = new InetSocketAddress("localhost", server.getListenerAddress().getPort());
      Object proxy = rpc.getProxy(ApplicationMasterProtocol.class, address, conf);
      ((ApplicationMasterProtocol) proxy).allocate(request());
      rpc.stopProxy(proxy, conf);
    } finally {
      server.stop();
    }
    AllocateRequest received = resourceManager.requests.get(0);
    ResourceRequest ask = received.getAskList().get(0);
    assertEquals(2, ask.getCapability().getResourceValue("example.com/rdma"));
    assertEquals(7, received.getResponseId());
    assertFalse(ask.getNodeLabelExpression() != null && !ask.getNodeLabelExpression().isEmpty());
  }
}
