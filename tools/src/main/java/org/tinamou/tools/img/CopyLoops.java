package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;

/**
 * Where the coroutines of a copy run. Between devices all run on the main loop, which keeps many
 * requests under way. Between files in the host's cache there is nothing to wait for but the
 * processors: there each has a thread of its own, and as many threads as there are processors.
 */
final class CopyLoops {
  private final AioContext main;
  private final List<IoThread> threads = new ArrayList<>();

  private CopyLoops(AioContext main) {
    this.main = main;
  }

  static CopyLoops onMain(AioContext main) {
    return new CopyLoops(main);
  }

  /**
   * Threads for so many coroutines, or fewer.
   *
   * @param coroutines at least 1
   */
  static CopyLoops onThreads(AioContext main, LoopHost host, int coroutines) {
    CopyLoops loops = new CopyLoops(main);
    int count = Math.min(coroutines, Runtime.getRuntime().availableProcessors());
    for (int index = 0; index < count; index++) {
      loops.threads.add(host.startCopyingThread("copy " + index));
    }
    return loops;
  }

  /** How many of the coroutines that are wanted there should be. */
  int coroutines(int wanted) {
    return threads.isEmpty() ? wanted : threads.size();
  }

  /** Whether the coroutines are on threads of their own. */
  boolean areThreads() {
    return !threads.isEmpty();
  }

  AioContext of(int index) {
    return threads.isEmpty() ? main : threads.get(index).context();
  }

  /** Ends the threads, whose coroutines have ended. */
  @InCoroutine
  void close() {
    for (IoThread thread : threads) {
      main.callBlocking(
          () -> {
            thread.close();
            return true;
          });
    }
  }
}
