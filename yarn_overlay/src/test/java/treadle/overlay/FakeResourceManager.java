package treadle.overlay;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.yarn.api.ApplicationMasterProtocol;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateResponse;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterRequest;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterResponse;
import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterRequest;
import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterResponse;
import org.apache.hadoop.yarn.api.records.Container;
import org.apache.hadoop.yarn.api.records.ContainerStatus;
import org.apache.hadoop.yarn.api.records.Resource;
import org.apache.hadoop.yarn.exceptions.YarnException;

/** Takes every ask, answers with what it was given to answer, and fails when it was told to. */
final class FakeResourceManager implements ApplicationMasterProtocol, Closeable {

  final List<AllocateRequest> requests = new ArrayList<>();
  final List<Container> grants = new ArrayList<>();
  final List<ContainerStatus> completions = new ArrayList<>();
  Resource maximum = Resource.newInstance(8192, 16);
  Exception nextFailure;
  boolean closed;

  @Override
  public RegisterApplicationMasterResponse registerApplicationMaster(RegisterApplicationMasterRequest request) {
    return RegisterApplicationMasterResponse.newInstance(
        Resource.newInstance(64, 1),
        maximum,
        Collections.emptyMap(),
        ByteBuffer.allocate(0),
        Collections.emptyList(),
        "default",
        Collections.emptyList());
  }

  @Override
  public AllocateResponse allocate(AllocateRequest request) throws YarnException, IOException {
    requests.add(request);
    Exception failure = nextFailure;
    nextFailure = null;
    if (failure instanceof IOException) {
      throw (IOException) failure;
    }
    if (failure != null) {
      throw (YarnException) failure;
    }
    return AllocateResponse.newBuilder()
        .responseId(request.getResponseId() + 1)
        .allocatedContainers(new ArrayList<>(grants))
        .completedContainersStatuses(new ArrayList<>(completions))
        .availableResources(Resource.newInstance(4096, 8))
        .build();
  }

  @Override
  public FinishApplicationMasterResponse finishApplicationMaster(FinishApplicationMasterRequest request) {
    return FinishApplicationMasterResponse.newInstance(true);
  }

  @Override
  public void close() {
    closed = true;
  }
}
