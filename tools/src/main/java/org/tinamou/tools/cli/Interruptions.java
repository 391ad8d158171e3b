package org.tinamou.tools.cli;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * What the signals of the process ask of the command that runs: SIGUSR1 to tell how far it is, and
 * whatever ends the process (SIGINT, SIGTERM, SIGHUP) to stop in an orderly way first. Does nothing
 * for a tool that runs inside another program, whose signals are not the tool's.
 */
public final class Interruptions implements AutoCloseable {
  private static volatile boolean processIsOurs;

  private final CountDownLatch ended = new CountDownLatch(1);

  private Interruptions() {}

  /** The tool is the whole process. */
  static void own() {
    processIsOurs = true;
  }

  /** Has SIGUSR1 answered from now on. The action runs on a thread of its own. */
  public static void onProgressAsked(Runnable action) {
    if (processIsOurs) {
      handle("USR1", action);
    }
  }

  /**
   * Has whatever asks the process to end (SIGINT, SIGTERM, SIGHUP) run the action instead, which
   * sees to it that the command ends. The action runs on a thread of its own.
   */
  public static void onEndAsked(Runnable action) {
    if (processIsOurs) {
      handle("TERM", action);
      handle("INT", action);
      handle("HUP", action);
    }
  }

  /** Whether the tool is the whole process. */
  public static boolean ownsProcess() {
    return processIsOurs;
  }

  /**
   * Has the process wait, when it is told to end, until the returned object is closed; not for
   * ever, as its owner may be stuck.
   *
   * @param stop asks the command to come to an end; runs on a thread of its own
   * @param giveUp has it wait for nobody, if it has not come to its end within two seconds
   */
  public static Interruptions stopBy(Runnable stop, Runnable giveUp) {
    Interruptions watch = new Interruptions();
    if (processIsOurs) {
      Runtime.getRuntime()
          .addShutdownHook(new Thread(new EndWorker(watch.ended, stop, giveUp), "end"));
    }
    return watch;
  }

  /** The command has come to an end and has said all it has to say. */
  @Override
  public void close() {
    ended.countDown();
  }

  /** By reflection: the compiler warns of each use of the JDK's only way to handle a signal. */
  private static void handle(String name, Runnable action) {
    try {
      ClassLoader loader = Interruptions.class.getClassLoader();
      Class<?> signal = loader.loadClass("sun.misc.Signal");
      Class<?> handler = loader.loadClass("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              loader,
              new Class<?>[] {handler},
              (self, method, arguments) -> answer(action, self, method, arguments));
      Object number = signal.getConstructor(String.class).newInstance(name);
      signal.getMethod("handle", signal, handler).invoke(null, number, proxy);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      // A runtime without this signal: nobody can ask for it either.
      System.getLogger(Interruptions.class.getName())
          .log(System.Logger.Level.DEBUG, "no handler for " + name, e);
    }
  }

  private static @Nullable Object answer(
      Runnable action, Object self, Method method, Object[] arguments) {
    return switch (method.getName()) {
      case "handle" -> {
        action.run();
        yield null;
      }
      case "equals" -> self == arguments[0];
      case "hashCode" -> System.identityHashCode(self);
      default -> "handler of a signal";
    };
  }
}
