package treadle.overlay;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.api.records.ResourceRequest;

/**
 * Gives each ask the resource types of the service that it is for. The service travels in the node label, as {@code
 * label@@service}; skein puts it there, and AMRMClient repeats it when it withdraws an ask.
 */
final class AskWidener {

  /** {@code treadle.overlay.resources.taskmanager = yarn.io/gpu=1,example.com/rdma=2}; not set where it needs no such types. */
  static final String RESOURCES_PREFIX = "treadle.overlay.resources.";

  private static final String MARKER = "@@";

  private final Map<String, Map<String, Long>> resourcesOfServices;

  private AskWidener(Map<String, Map<String, Long>> resourcesOfServices) {
    this.resourcesOfServices = resourcesOfServices;
  }

  /** Reads the resources of every service; throws IllegalArgumentException where they are malformed. */
  static AskWidener from(Configuration conf) {
    Map<String, Map<String, Long>> services = new HashMap<>();
    for (Map.Entry<String, String> entry : conf.getPropsWithPrefix(RESOURCES_PREFIX).entrySet()) {
      services.put(entry.getKey(), amounts(entry.getKey(), entry.getValue()));
    }
    return new AskWidener(services);
  }

  private static Map<String, Long> amounts(String service, String text) {
    Map<String, Long> amounts = new LinkedHashMap<>();
    for (String part : text.trim().split("\\s*,\\s*")) {
      int equals = part.lastIndexOf('=');
      try {
        amounts.put(part.substring(0, equals).trim(), Long.parseLong(part.substring(equals + 1).trim()));
      } catch (NumberFormatException | StringIndexOutOfBoundsException e) {
        throw new IllegalArgumentException(
            RESOURCES_PREFIX + service + ": \"" + part + "\" where TYPE=AMOUNT was expected", e);
      }
    }
    return amounts;
  }

  /**
   * Returns a copy with every ask widened. AMRMClient puts the very objects that it sent back into its queue when a call
   * fails, so whatever is changed has to be ours down to the Resource.
   */
  AllocateRequest widened(AllocateRequest request) {
    List<ResourceRequest> asks = new ArrayList<>();
    for (ResourceRequest ask : request.getAskList()) {
      asks.add(widened(ask));
    }
    return AllocateRequest.newBuilder()
        .responseId(request.getResponseId())
        .progress(request.getProgress())
        .askList(asks)
        .releaseList(request.getReleaseList())
        .resourceBlacklistRequest(request.getResourceBlacklistRequest())
        .updateRequests(request.getUpdateRequests())
        .schedulingRequests(request.getSchedulingRequests())
        .trackingUrl(request.getTrackingUrl())
        .build();
  }

  private ResourceRequest widened(ResourceRequest ask) {
    String expression = ask.getNodeLabelExpression();
    int marker = expression == null ? -1 : expression.lastIndexOf(MARKER);
    if (marker < 0) {
      return ask;
    }
    String label = expression.substring(0, marker);
    return ResourceRequest.newBuilder()
        .priority(ask.getPriority())
        .resourceName(ask.getResourceName())
        .capability(widened(ask.getCapability(), expression.substring(marker + MARKER.length())))
        .numContainers(ask.getNumContainers())
        .relaxLocality(ask.getRelaxLocality())
        .nodeLabelExpression(label.isEmpty() ? null : label)
        .executionTypeRequest(ask.getExecutionTypeRequest())
        .allocationRequestId(ask.getAllocationRequestId())
        .build();
  }

  private Resource widened(Resource capability, String service) {
    Resource copy = Resource.newInstance(capability);
    resourcesOfServices.getOrDefault(service, Collections.emptyMap()).forEach(copy::setResourceValue);
    return copy;
  }
}
