package treadle.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.records.ApplicationAttemptId;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.api.records.ContainerId;
import org.apache.hadoop.yarn.api.records.ContainerUpdateType;
import org.apache.hadoop.yarn.api.records.ExecutionType;
import org.apache.hadoop.yarn.api.records.ExecutionTypeRequest;
import org.apache.hadoop.yarn.api.records.Priority;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceBlacklistRequest;
import org.apache.hadoop.yarn.api.records.ResourceRequest;
import org.apache.hadoop.yarn.api.records.ResourceSizing;
import org.apache.hadoop.yarn.api.records.SchedulingRequest;
import org.apache.hadoop.yarn.api.records.UpdateContainerRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AskWidenerTest {

  private static AskWidener widener(String service, String resources) {
    Configuration conf = new Configuration(false);
    conf.set(AskWidener.RESOURCES_PREFIX + service, resources);
    return AskWidener.from(conf);
  }

  private static final AskWidener WIDENER = widener("taskmanager", "yarn.io/gpu=1, example.com/rdma=2");

  private static ResourceRequest ask(String label, int count) {
    return ResourceRequest.newBuilder()
        .priority(Priority.newInstance(3))
        .resourceName("*")
        .capability(Resource.newInstance(256, 1))
        .numContainers(count)
        .relaxLocality(true)
        .nodeLabelExpression(label)
        .executionTypeRequest(ExecutionTypeRequest.newInstance(ExecutionType.GUARANTEED, true))
        .allocationRequestId(12)
        .build();
  }

  private static ResourceRequest widened(ResourceRequest ask) {
    AllocateRequest request = AllocateRequest.newInstance(1, 0, Collections.singletonList(ask), null, null);
    return WIDENER.widened(request).getAskList().get(0);
  }

  @Test
  void anAskGetsTheResourcesOfItsService() {
    Resource capability = widened(ask("@@taskmanager", 1)).getCapability();
    assertEquals(1, capability.getResourceValue("yarn.io/gpu"));
    assertEquals(2, capability.getResourceValue("example.com/rdma"));
    assertEquals(256, capability.getMemorySize());
    assertEquals(1, capability.getVirtualCores());
  }

  @ParameterizedTest
  @CsvSource({"@@taskmanager,", "fast@@taskmanager,fast", "odd@@label@@taskmanager,odd@@label"})
  void theRealLabelIsRestored(String expression, String label) {
    assertEquals(label, widened(ask(expression, 1)).getNodeLabelExpression());
  }

  @Test
  void everythingElseOfAnAskStays() {
    ResourceRequest widened = widened(ask("fast@@taskmanager", 4));
    ResourceRequest expected = ask("fast", 4);
    expected.setCapability(widened.getCapability());
    assertEquals(expected, widened);
    assertEquals(12, widened.getAllocationRequestId());
  }

  @ParameterizedTest
  @ValueSource(strings = {"fast", ""})
  void anAskWithoutMarkerIsLeftAlone(String label) {
    assertEquals(ask(label, 1), widened(ask(label, 1)));
    assertEquals(0, widened(ask(label, 1)).getCapability().getResourceValue("yarn.io/gpu"));
  }

  @Test
  void anAskWithoutLabelIsLeftAlone() {
    assertNull(widened(ask(null, 1)).getNodeLabelExpression());
    assertEquals(0, widened(ask(null, 1)).getCapability().getResourceValue("yarn.io/gpu"));
  }

  @Test
  void aWithdrawnAskIsTheSameButForItsCount() {
    ResourceRequest asked = widened(ask("@@taskmanager", 1));
    ResourceRequest withdrawn = widened(ask("@@taskmanager", 0));
    assertEquals(0, withdrawn.getNumContainers());
    withdrawn.setNumContainers(1);
    assertEquals(asked, withdrawn);
  }

  @Test
  void whatWasHandedInIsUntouched() {
    ResourceRequest ask = ask("fast@@taskmanager", 1);
    AllocateRequest request = AllocateRequest.newInstance(1, 0, Collections.singletonList(ask), null, null);
    AllocateRequest first = WIDENER.widened(request);
    assertEquals(ask("fast@@taskmanager", 1), ask);
    assertEquals(0, ask.getCapability().getResourceValue("yarn.io/gpu"));
    assertEquals(Collections.singletonList(ask), request.getAskList());
    assertEquals(first, WIDENER.widened(request));
  }

  @Test
  void everythingElseOfARequestStays() {
    ContainerId container =
        ContainerId.newContainerId(ApplicationAttemptId.newInstance(ApplicationId.newInstance(1, 2), 1), 5);
    AllocateRequest request =
        AllocateRequest.newBuilder()
            .responseId(9)
            .progress(0.25f)
            .askList(Collections.singletonList(ask("fast", 2)))
            .releaseList(Collections.singletonList(container))
            .resourceBlacklistRequest(ResourceBlacklistRequest.newInstance(Arrays.asList("bad"), Arrays.asList("good")))
            .updateRequests(
                Collections.singletonList(
                    UpdateContainerRequest.newInstance(
                        0, container, ContainerUpdateType.INCREASE_RESOURCE, Resource.newInstance(512, 1), null)))
            .schedulingRequests(
                Collections.singletonList(
                    SchedulingRequest.newBuilder()
                        .allocationRequestId(4)
                        .priority(Priority.newInstance(1))
                        .resourceSizing(ResourceSizing.newInstance(1, Resource.newInstance(64, 1)))
                        .build()))
            .trackingUrl("http://example.com/")
            .build();
    assertEquals(request, WIDENER.widened(request)); // compared as protocol buffers: a field that was forgotten tells
  }

  @Test
  void aServiceMayNeedNothingBeyondMemoryAndCores() {
    assertEquals(ask("fast", 1), widened(ask("fast@@plain", 1)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "yarn.io/gpu", "yarn.io/gpu=one", "yarn.io/gpu=", "yarn.io/gpu=1,,example.com/rdma=2"})
  void malformedResourcesNameKeyAndPart(String resources) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> widener("taskmanager", resources)).getMessage();
    assertTrue(message.startsWith("treadle.overlay.resources.taskmanager: \""), message);
    assertTrue(message.endsWith("where TYPE=AMOUNT was expected"), message);
  }
}
