package treadle.overlay;

import java.net.InetSocketAddress;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.ipc.Server;
import org.apache.hadoop.security.token.SecretManager;
import org.apache.hadoop.security.token.TokenIdentifier;
import org.apache.hadoop.yarn.ipc.YarnRPC;

/** The class that a site could have configured; every protocol's stub is the one fake ResourceManager of the test. */
public final class FakeRpc extends YarnRPC {

  /** Static because Hadoop makes the instances. */
  static FakeResourceManager resourceManager;

  @Override
  @SuppressWarnings("rawtypes")
  public Object getProxy(Class protocol, InetSocketAddress address, Configuration conf) {
    return resourceManager;
  }

  @Override
  public void stopProxy(Object proxy, Configuration conf) {
    ((FakeResourceManager) proxy).close();
  }

  @Override
  @SuppressWarnings("rawtypes")
  public Server getServer(
      Class protocol,
      Object instance,
      InetSocketAddress address,
      Configuration conf,
      SecretManager<? extends TokenIdentifier> secretManager,
      int handlers,
      String portRange) {
    throw new UnsupportedOperationException("no test asks for a server here");
  }
}
