package org.tinamou.tools.cli;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ErrnoException;

/** Runs a command's work as a coroutine of the main loop. */
public final class LoopRunner {
  /** Work on a loop. */
  @FunctionalInterface
  public interface Work {
    /**
     * @return the command's exit code
     */
    int run(AioContext context) throws Exception;
  }

  /** Work on a loop that may start other loops. */
  @FunctionalInterface
  public interface HostWork {
    /**
     * @return the command's exit code
     */
    int run(LoopHost host, AioContext context) throws Exception;
  }

  /** Work of a program that runs for long and may start other loops. */
  @FunctionalInterface
  public interface LoopsWork {
    /**
     * @return the command's exit code
     */
    int run(HostLoops loops, AioContext context) throws Exception;
  }

  private LoopRunner() {}

  /** Like {@link #run}, with loops that are looked after. */
  public static int runWithLoops(String name, LoopsWork work) throws ToolException {
    return runOnHost(
        name,
        (host, context) -> {
          try (HostLoops loops = new HostLoops(host, context)) {
            return work.run(loops, context);
          }
        });
  }

  /** Opens a loop on the calling thread, runs the work and closes the loop. */
  public static int run(String name, Work work) throws ToolException {
    return runOnHost(name, (host, context) -> work.run(context));
  }

  /** Like {@link #run}, for work that closes what loops it starts. */
  public static int runOnHost(String name, HostWork work) throws ToolException {
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext context = host.newContext("main", BusyPolling.OFF)) {
      return context.runUntilDone(name, () -> work.run(host, context));
    } catch (ToolException | RuntimeException e) {
      throw e;
    } catch (ErrnoException e) {
      throw new ToolException(String.valueOf(e.getMessage()));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
