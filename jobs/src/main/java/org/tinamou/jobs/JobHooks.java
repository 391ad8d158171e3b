package org.tinamou.jobs;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;

/** What a kind of job does when its time has come. */
abstract class JobHooks {
  /**
   * The work. Runs in a coroutine of the job's loop and comes to a pause point now and then.
   *
   * @throws BlockException why it failed; the pause points throw when it is to give up
   */
  @InCoroutine
  protected abstract void run() throws BlockException;

  /** Has everything that it began come to an end, since the job is about to rest. In the work. */
  @InCoroutine
  protected void beforePause() {}

  /** The job goes on. In the work. */
  @InCoroutine
  protected void afterPause() {}

  /**
   * It is told to give up.
   *
   * @return false if it will end by itself, and well, since it was not told with force
   */
  @HomeThread
  protected boolean mustAbort(boolean force) {
    return true;
  }

  /**
   * It gives up, whatever it is doing just now: what it waits for has to end soon. Told once,
   * before its work can know.
   */
  @HomeThread
  protected void givesUp() {}

  /** A user lets it go on. */
  @HomeThread
  protected void userResumed() {}

  /** The last that may fail, when all jobs of the transaction have done their work. Main loop. */
  @InCoroutine
  protected void prepare() throws BlockException {}

  /** All have prepared. Main loop. */
  @InCoroutine
  protected void commit() {}

  /** It has failed or given up, with or without having prepared. Main loop. */
  @InCoroutine
  protected void abort() {}

  /** The very last, in any case. Main loop. */
  @InCoroutine
  protected void clean() {}

  /** What has to be done at the end, the very last also after a bug in what comes before it. */
  @InCoroutine
  final void endWith(boolean success) {
    try {
      if (success) {
        commit();
      } else {
        abort();
      }
    } finally {
      clean();
    }
  }

  /** Told when the job has come to rest, for whoever waits for that. */
  @AnyThread
  protected void rested() {}

  /** It has ended in every respect. */
  @HomeThread
  void ended() {}

  /** Tells how a job ended that was started; on the main loop. */
  @HomeThread
  void announceEnd() {}
}
