package treadle.overlay;

import java.io.File;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.ipc.Server;
import org.apache.hadoop.security.token.SecretManager;
import org.apache.hadoop.security.token.TokenIdentifier;
import org.apache.hadoop.util.ReflectionUtils;
import org.apache.hadoop.yarn.api.ApplicationClientProtocol;
import org.apache.hadoop.yarn.api.ApplicationConstants;
import org.apache.hadoop.yarn.api.ApplicationMasterProtocol;
import org.apache.hadoop.yarn.api.records.ContainerId;
import org.apache.hadoop.yarn.client.ClientRMProxy;
import org.apache.hadoop.yarn.ipc.HadoopYarnProtoRPC;
import org.apache.hadoop.yarn.ipc.YarnRPC;

/**
 * The class that {@code yarn.ipc.rpc.class} names in skein's application master: what it was before, except that the
 * ResourceManager's side of {@link ApplicationMasterProtocol} is widened.
 */
public final class OverlayRpc extends YarnRPC {

  /** The class that {@code yarn.ipc.rpc.class} named before. */
  static final String RPC_CLASS = "treadle.overlay.rpc-class";

  /** File of the tap, relative to the application master's directory. */
  static final String TAP_FILE = "treadle.overlay.tap-file";

  /** File that names the excluded nodes, relative to the application master's directory; it need not exist. */
  static final String EXCLUDED_NODES_FILE = "treadle.overlay.excluded-nodes-file";

  /** File that names the final status, relative to the application master's directory; it need not exist. */
  static final String FINAL_STATUS_FILE = "treadle.overlay.final-status-file";

  /** Exit code of an attempt that leaves the application to the next one: that of a process ended by SIGTERM. */
  private static final int LEFT = 143;

  /** How long an application that is being killed may take to be so; a signalled container has less. */
  private static final long PATIENCE_MS = 2_000;

  @Override
  @SuppressWarnings("rawtypes") // as YarnRPC declares it
  public Object getProxy(Class protocol, InetSocketAddress address, Configuration conf) {
    YarnRPC rpc = configuredRpc(conf);
    if (protocol != ApplicationMasterProtocol.class) {
      return rpc.getProxy(protocol, address, conf);
    }
    AskWidener asks = AskWidener.from(conf); // what is malformed fails before there is a connection to close
    ExcludedNodes excluded = new ExcludedNodes(new File(required(conf, EXCLUDED_NODES_FILE)));
    FinalStatus status = new FinalStatus(new File(required(conf, FINAL_STATUS_FILE)));
    Ending ending = new Ending(status, () -> applicationState(conf).hasEnded(), () -> Runtime.getRuntime().halt(LEFT));
    ContainerTap tap = new ContainerTap(new File(required(conf, TAP_FILE)));
    Object inner = rpc.getProxy(protocol, address, conf);
    return new ApplicationMasterHandler(inner, () -> rpc.stopProxy(inner, conf), asks, excluded, ending, tap).proxy();
  }

  @Override
  public void stopProxy(Object proxy, Configuration conf) {
    if (Proxy.isProxyClass(proxy.getClass())
        && Proxy.getInvocationHandler(proxy) instanceof ApplicationMasterHandler) {
      ((ApplicationMasterHandler) Proxy.getInvocationHandler(proxy)).close();
    } else {
      configuredRpc(conf).stopProxy(proxy, conf);
    }
  }

  @Override
  @SuppressWarnings("rawtypes") // as YarnRPC declares it
  public Server getServer(
      Class protocol,
      Object instance,
      InetSocketAddress address,
      Configuration conf,
      SecretManager<? extends TokenIdentifier> secretManager,
      int handlers,
      String portRange) {
    return configuredRpc(conf)
        .getServer(protocol, instance, address, conf, secretManager, handlers, portRange);
  }

  private static ApplicationState applicationState(Configuration conf) {
    String container = System.getenv(ApplicationConstants.Environment.CONTAINER_ID.name());
    return new ApplicationState(
        ContainerId.fromString(container).getApplicationAttemptId(),
        () -> ClientRMProxy.createRMProxy(conf, ApplicationClientProtocol.class),
        PATIENCE_MS);
  }

  private static YarnRPC configuredRpc(Configuration conf) {
    return ReflectionUtils.newInstance(
        conf.getClass(RPC_CLASS, HadoopYarnProtoRPC.class, YarnRPC.class), conf);
  }

  private static String required(Configuration conf, String key) {
    String value = conf.getTrimmed(key);
    if (value == null || value.isEmpty()) {
      throw new IllegalArgumentException(key + " is not set, where a file name was expected");
    }
    return value;
  }
}
