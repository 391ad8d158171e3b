package org.tinamou.aio;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.concurrent.Executor;

/**
 * The only place that knows how to give a virtual thread a scheduler of ours. JDK 25 has no public
 * way, so {@code java.lang} must be opened to this module; the launchers do that.
 */
final class CoroutineDoor {
  private static final int NO_INHERIT_THREAD_LOCALS = 1 << 2;
  private static final MethodHandle NEW_VIRTUAL_THREAD =
      open(
          "java.lang.ThreadBuilders",
          "newVirtualThread",
          Executor.class,
          String.class,
          int.class,
          Runnable.class);
  private static final MethodHandle CURRENT_CARRIER =
      open("java.lang.Thread", "currentCarrierThread");

  private CoroutineDoor() {}

  private static MethodHandle open(String type, String name, Class<?>... parameters) {
    try {
      Method method = Class.forName(type).getDeclaredMethod(name, parameters);
      method.setAccessible(true);
      return MethodHandles.lookup().unreflect(method);
    } catch (ReflectiveOperationException | RuntimeException e) {
      Module module = CoroutineDoor.class.getModule();
      throw new IllegalStateException(
          "coroutines need the JVM option --add-opens=java.base/java.lang="
              + (module.isNamed() ? module.getName() : "ALL-UNNAMED")
              + " on JDK 25 (this is "
              + Runtime.version()
              + ")",
          e);
    }
  }

  /** The platform thread that carries the calling virtual thread. */
  static Thread currentCarrier() {
    try {
      return (Thread) CURRENT_CARRIER.invokeExact();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether the thread is one of those with which the JDK resumes virtual threads by itself. */
  static boolean belongsToJdk(Thread thread) {
    return thread.getName().startsWith("VirtualThread-un");
  }

  /** An unstarted virtual thread that runs wherever {@code scheduler} runs its continuation. */
  static Thread newThread(Executor scheduler, String name, Runnable body) {
    try {
      return (Thread)
          NEW_VIRTUAL_THREAD.invokeExact(scheduler, name, NO_INHERIT_THREAD_LOCALS, body);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
