package treadle.overlay;

import java.io.Closeable;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.apache.hadoop.yarn.api.ApplicationMasterProtocol;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateRequest;
import org.apache.hadoop.yarn.api.protocolrecords.AllocateResponse;
import org.apache.hadoop.yarn.api.protocolrecords.FinishApplicationMasterRequest;
import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterRequest;
import org.apache.hadoop.yarn.api.protocolrecords.RegisterApplicationMasterResponse;

/** Stands between the application master and the ResourceManager: widens what is asked, excludes nodes, notes what is answered. */
final class ApplicationMasterHandler implements InvocationHandler, Closeable {

  private final Object inner;
  private final Runnable stopInner;
  private final AskWidener asks;
  private final ExcludedNodes excluded;
  private final Ending ending;
  private final ContainerTap tap;

  ApplicationMasterHandler(
      Object inner,
      Runnable stopInner,
      AskWidener asks,
      ExcludedNodes excluded,
      Ending ending,
      ContainerTap tap) {
    this.inner = inner;
    this.stopInner = stopInner;
    this.asks = asks;
    this.excluded = excluded;
    this.ending = ending;
    this.tap = tap;
  }

  /** Returns the protocol as seen through this handler; Closeable because {@code RPC.stopProxy} demands it. */
  Object proxy() {
    return Proxy.newProxyInstance(
        ApplicationMasterHandler.class.getClassLoader(),
        new Class<?>[] {ApplicationMasterProtocol.class, Closeable.class},
        this);
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    if (method.getDeclaringClass() == Closeable.class) {
      close();
      return null;
    }
    if (arguments != null && arguments.length == 1 && arguments[0] instanceof FinishApplicationMasterRequest) {
      return ending.finish((FinishApplicationMasterRequest) arguments[0], request -> answer(method, request));
    }
    return noted(answer(method, amended(arguments)));
  }

  private Object answer(Method method, Object... arguments) throws Throwable {
    try {
      return method.invoke(inner, arguments);
    } catch (InvocationTargetException e) {
      excluded.failed();
      throw e.getCause(); // skein and Hadoop tell failures apart by their type
    }
  }

  @Override
  public void close() {
    tap.close();
    stopInner.run();
  }

  private Object[] amended(Object[] arguments) {
    if (arguments == null || arguments.length != 1) {
      return arguments;
    }
    if (arguments[0] instanceof RegisterApplicationMasterRequest) {
      return new Object[] {TrackingUrl.amended((RegisterApplicationMasterRequest) arguments[0])};
    }
    if (!(arguments[0] instanceof AllocateRequest)) {
      return arguments;
    }
    AllocateRequest ours = asks.widened((AllocateRequest) arguments[0]);
    excluded.addTo(ours);
    return new Object[] {ours};
  }

  private Object noted(Object response) {
    if (response instanceof AllocateResponse) {
      excluded.accepted();
      tap.allocated((AllocateResponse) response);
    } else if (response instanceof RegisterApplicationMasterResponse) {
      tap.registered((RegisterApplicationMasterResponse) response);
    }
    return response;
  }
}
