package org.tinamou.jobs;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * Long work that users watch and steer: its state, the verbs, and the coroutine that does it.
 *
 * <p>The work runs in the loop of the job and rests at its pause points as long as anybody wants it
 * to. When it has ended, the job is brought to its end on the main loop: {@link #prepare}, then
 * {@link #commit} or {@link #abort}, then {@link #clean}. Verbs are spoken on the main loop.
 */
public abstract class Job extends JobHooks {
  private final JobList list;
  private final String id;
  private final JobType type;
  private final boolean autoFinalize;
  private final boolean autoDismiss;
  private final JobTransaction transaction;
  private final JobProgress progress = new JobProgress();
  private final AtomicInteger pauseCount = new AtomicInteger();
  private final AtomicBoolean userPaused = new AtomicBoolean();
  private final CoQueue ends = new CoQueue("end of a job");

  // The state is changed by the work while it goes on, before and after that by the main loop.
  private volatile JobStatus status = JobStatus.UNDEFINED;
  private volatile AioContext context;
  private volatile @Nullable Coroutine work;
  private volatile boolean busy;
  private volatile boolean entered;
  private volatile boolean cancelRequested;
  private volatile boolean cancelled;
  private volatile @Nullable BlockException failure;
  private boolean workEnded;
  private boolean ended;
  private boolean inEnding;

  /**
   * A job that is there but has not started.
   *
   * @param context the loop it is going to work in
   * @throws BlockException if its id is not allowed or taken
   */
  @HomeThread
  protected Job(JobList list, JobSettings settings, JobType type, AioContext context)
      throws BlockException {
    this.list = list;
    this.id = settings.id();
    this.type = type;
    this.context = context;
    this.autoFinalize = settings.autoFinalize();
    this.autoDismiss = settings.autoDismiss();
    JobTransaction with = settings.transaction();
    this.transaction = with == null ? new JobTransaction() : with;
    list.add(this);
    transaction.add(this);
    changeStatus(JobStatus.CREATED);
  }

  // ---- what a kind of job does

  /** A user has it complete what it could go on with for ever. */
  @HomeThread
  protected void completeNow() throws BlockException {
    throw cannotComplete();
  }

  private BlockException cannotComplete() {
    return new BlockException(
        Errno.EINVAL, "The active block job '%s' cannot be completed".formatted(id));
  }

  // ---- queries
  @AnyThread
  public final String id() {
    return id;
  }

  @AnyThread
  public final JobType type() {
    return type;
  }

  @AnyThread
  public final JobList list() {
    return list;
  }

  @AnyThread
  public final JobStatus status() {
    return status;
  }

  /** The loop it works in. */
  @AnyThread
  public final AioContext context() {
    return context;
  }

  @AnyThread
  public final JobProgress progress() {
    return progress;
  }

  @AnyThread
  public final boolean isAutoFinalize() {
    return autoFinalize;
  }

  @AnyThread
  public final boolean isAutoDismiss() {
    return autoDismiss;
  }

  /** Whether the work goes on just now and may make requests. */
  @AnyThread
  public final boolean isBusy() {
    return busy;
  }

  /** Whether anybody holds it up. */
  @AnyThread
  public final boolean isPauseWanted() {
    return pauseCount.get() > 0;
  }

  /** Whether a user holds it up, or an error does. */
  @AnyThread
  public final boolean isUserPaused() {
    return userPaused.get();
  }

  /** Whether it has been told to give up and will end as cancelled. */
  @AnyThread
  public final boolean isCancelled() {
    return cancelled;
  }

  /** Whether it has been told to give up, be it that it ends well. */
  @AnyThread
  public final boolean isCancelRequested() {
    return cancelRequested;
  }

  /** Why it failed, or null. */
  @AnyThread
  public final @Nullable BlockException failure() {
    return failure;
  }

  final boolean hasFailed() {
    return failure != null || cancelled;
  }

  /** Whether it has been brought to its end: concluded, perhaps forgotten. */
  final boolean isEnded() {
    return ended;
  }

  @HomeThread
  public final JobInfo info() {
    return new JobInfo(id, type, status, progress.current(), progress.total(), errorText());
  }

  @AnyThread
  protected @Nullable String errorText() {
    BlockException error = failure;
    return error == null ? null : error.errno().message();
  }

  // ---- verbs

  /** Refuses a verb in a state that does not take it. */
  @HomeThread
  protected final void checkAccepts(JobVerb verb) throws BlockException {
    Check.state(list.main().isHome(), "jobs are steered on the main loop");
    if (!status.accepts(verb)) {
      throw new BlockException(
          Errno.EPERM,
          "Job '%s' in state '%s' cannot accept command verb '%s'"
              .formatted(id, status.wireName(), verb.wireName()));
    }
  }

  /** Starts the work, whose first step is a later one of the loop. */
  @HomeThread
  public final void start() {
    Check.state(status == JobStatus.CREATED, "%s has started", this);
    changeStatus(JobStatus.RUNNING);
    busy = true;
    work = context.spawn("job " + id, this::work);
  }

  /** A user holds it up. */
  @HomeThread
  public final void userPause() throws BlockException {
    checkAccepts(JobVerb.PAUSE);
    if (!pauseForUser()) {
      throw new BlockException(Errno.EINVAL, "Job is already paused");
    }
  }

  /** Holds the job up until a user lets it go on. False if it is so already. */
  @AnyThread
  final boolean pauseForUser() {
    if (!userPaused.compareAndSet(false, true)) {
      return false;
    }
    pause();
    return true;
  }

  /** A user lets it go on. */
  @HomeThread
  public final void userResume() throws BlockException {
    Check.state(list.main().isHome(), "jobs are steered on the main loop");
    if (!userPaused.get() || !isPauseWanted()) {
      throw new BlockException(Errno.EINVAL, "Can't resume a job that was not paused");
    }
    checkAccepts(JobVerb.RESUME);
    userResumed();
    if (userPaused.compareAndSet(true, false)) {
      resume();
    }
  }

  /** Somebody holds it up. Balanced by {@link #resume}; calls nest. */
  @AnyThread
  public final void pause() {
    pauseCount.incrementAndGet();
    enter();
  }

  @AnyThread
  public final void resume() {
    int left = pauseCount.decrementAndGet();
    Check.state(left >= 0, "%s is resumed more often than paused", this);
    if (left == 0) {
      enter();
    }
  }

  /** Has the work look around if it sleeps or rests. */
  @AnyThread
  protected final void enter() {
    entered = true;
    Coroutine current = work;
    if (current != null) {
      current.wake();
    }
  }

  /**
   * A user tells it to give up.
   *
   * @param force whether it ends as cancelled where it could end well
   */
  @InCoroutine
  public final void cancel(boolean force) throws BlockException {
    checkAccepts(JobVerb.CANCEL);
    cancelNow(force);
  }

  /** As with force, whatever state it is in. */
  @InCoroutine
  final void giveUp() {
    if (!ended) {
      cancelNow(true);
    }
  }

  private void cancelNow(boolean force) {
    if (inEnding) {
      return; // too late: it ends as it is
    }
    requestCancel(force);
    if (work == null || workEnded && cancelled) {
      transaction.giveUp(this);
    }
  }

  final void requestCancel(boolean force) {
    if (userPaused.compareAndSet(true, false)) {
      userResumed();
      resume();
    }
    if ((mustAbort(force) || force) && !cancelled) {
      cancelled = true;
      givesUp();
    }
    cancelRequested = true;
    enter();
  }

  /** A user has it complete what it could go on with. */
  @HomeThread
  public final void complete() throws BlockException {
    checkAccepts(JobVerb.COMPLETE);
    if (cancelRequested) {
      throw cannotComplete();
    }
    completeNow();
  }

  /** A user lets the jobs of the transaction, which are pending, end. */
  @InCoroutine
  public final void finalizeJob() throws BlockException {
    checkAccepts(JobVerb.FINALIZE);
    transaction.finalizeAll(this);
  }

  /** A user has seen how it ended. */
  @HomeThread
  public final void dismiss() throws BlockException {
    checkAccepts(JobVerb.DISMISS);
    forget();
  }

  /** For a job that could not be created in full. */
  @HomeThread
  protected final void discard() {
    Check.state(status == JobStatus.CREATED, "%s has started", this);
    ended = true;
    transaction.remove(this);
    changeStatus(JobStatus.NULL);
    list.remove(this);
  }

  final void forget() {
    if (status == JobStatus.CONCLUDED) {
      changeStatus(JobStatus.NULL);
      list.remove(this);
    }
  }

  // ---- the work

  private void work() {
    Coroutine.describe(this);
    try {
      pausePoint();
      run();
    } catch (BlockException failed) {
      fail(failed);
    } catch (RuntimeException | Error bug) {
      fail(BlockException.of(Errno.EIO, String.valueOf(bug)));
      throw bug;
    } finally {
      rest();
      Coroutine.moveTo(list.main());
      workEnded = true;
      ends.wakeAll();
      transaction.workEnded(this);
    }
  }

  final void fail(BlockException error) {
    if (failure == null) {
      failure = error;
    }
  }

  /** It may make no more requests: whoever drains need not wait for it. */
  private void rest() {
    busy = false;
    rested();
  }

  /**
   * Makes the job busy unless somebody holds it up: says so first and then looks, as whoever holds
   * it up does the other way round.
   */
  private boolean tryWork() {
    busy = true;
    if (isPauseWanted()) {
      rest();
      return false;
    }
    return true;
  }

  /**
   * Rests here as long as anybody holds the job up. The job may have gone to another loop, and the
   * graph changed, when it returns.
   *
   * @throws BlockException ECANCELED if it is to give up; it makes no more requests then
   */
  @InCoroutine
  protected final void pausePoint() throws BlockException {
    refuseCancelled();
    if (isPauseWanted()) {
      if (busy) {
        beforePause();
      }
      JobStatus before = status;
      do {
        if (status == before) {
          changeStatus(before == JobStatus.READY ? JobStatus.STANDBY : JobStatus.PAUSED);
        }
        rest();
        while (isPauseWanted() && !cancelled) {
          Coroutine.moveTo(context);
          if (isPauseWanted() && !cancelled) {
            Coroutine.suspend("resume of " + id);
          }
        }
      } while (!cancelled && !tryWork());
      changeStatus(before);
      refuseCancelled();
      afterPause();
    } else if (!busy && !tryWork()) {
      pausePoint();
      return;
    }
    Coroutine.moveTo(context);
  }

  private void refuseCancelled() throws BlockException {
    if (cancelled) {
      throw BlockException.of(Errno.ECANCELED, "job " + id);
    }
  }

  /**
   * Rests for a time, or until somebody enters the job; then a pause point. Everything that it
   * began has come to an end.
   */
  @InCoroutine
  protected final void sleep(long nanos) throws BlockException {
    beforePause();
    rest();
    boolean[] fired = new boolean[1];
    Coroutine self = Coroutine.current();
    AioTimer timer =
        self.context()
            .timer(
                ClockType.REALTIME,
                "sleep of job " + id,
                () -> {
                  fired[0] = true;
                  self.wake();
                });
    timer.armIn(nanos);
    while (!fired[0] && !takeEntered() && !cancelled && !isPauseWanted()) {
      Coroutine.suspend("rate limit of " + id);
    }
    timer.cancel();
    pausePoint();
  }

  /**
   * Rests until somebody enters the job; then a pause point. Everything that it began has come to
   * an end, and the caller looks again at what it waits for.
   */
  @InCoroutine
  protected final void awaitEntered() throws BlockException {
    rest();
    while (!takeEntered() && !cancelled && !isPauseWanted()) {
      Coroutine.suspend("something to do for " + id);
    }
    pausePoint();
  }

  private boolean takeEntered() {
    boolean before = entered;
    entered = false;
    return before;
  }

  /**
   * Goes to the main loop for a change of the graph, which may drain: the job counts as at rest
   * meanwhile. Back in its own loop it comes to a pause point.
   */
  @InCoroutine
  protected final <T extends @Nullable Object> T onMain(OnMain<T> change) throws BlockException {
    T result = leaveForMain(change);
    pausePoint();
    return result;
  }

  /**
   * As {@link #onMain}, but stays at rest on the main loop: the work ends there, or comes to a
   * pause point next. What it has drained and left drained holds up the job too.
   */
  @InCoroutine
  protected final <T extends @Nullable Object> T leaveForMain(OnMain<T> change)
      throws BlockException {
    beforePause();
    rest();
    Coroutine.moveTo(list.main());
    return change.run();
  }

  /** Waits until somebody enters the job, which stays busy: for what it has begun itself. */
  @InCoroutine
  protected final void awaitEnteredBusy() {
    while (!takeEntered()) {
      Coroutine.suspend("requests of " + id);
    }
  }

  /** It is ready from now on. In the work. */
  @InCoroutine
  void becomeReadyStatus() {
    changeStatus(JobStatus.READY);
  }

  /** The job goes to another loop: its work too, as soon as it can. It is at rest. */
  @HomeThread
  final void moved(AioContext target) {
    context = target;
    enter();
  }

  // ---- its end

  final void becomePending() {
    changeStatus(JobStatus.PENDING);
    if (!autoFinalize) {
      list.tell(new JobEvent.Pending(this));
    }
  }

  @InCoroutine
  final void awaitWorkEnded() {
    while (work != null && !workEnded) {
      ends.await();
    }
  }

  @InCoroutine
  final void awaitConcluded() {
    while (!ended) {
      ends.await();
    }
  }

  /** Waits until it has ended, for who works on the main loop; returns why it failed, or null. */
  @InCoroutine
  public final @Nullable BlockException await() {
    Check.state(list.main().isHome(), "jobs are awaited on the main loop");
    awaitConcluded();
    return failure;
  }

  /** It is too late to give up from now on. */
  final void beginEnding() {
    inEnding = true;
  }

  final void conclude() {
    beginEnding();
    if (failure == null && cancelled) {
      fail(BlockException.of(Errno.ECANCELED, "job " + id));
    }
    if (failure != null) {
      changeStatus(JobStatus.ABORTING);
    }
    try {
      endWith(failure == null);
      if (work != null) {
        announceEnd();
      }
    } finally {
      ended();
      transaction.remove(this);
      changeStatus(JobStatus.CONCLUDED);
      ended = true;
      if (autoDismiss || work == null) {
        forget();
      }
      ends.wakeAll();
    }
  }

  final void changeStatus(JobStatus next) {
    Check.state(status.next().contains(next), "job %s goes from %s to %s", id, status, next);
    status = next;
    list.tell(new JobEvent.StatusChanged(this, next));
  }

  @Override
  public String toString() {
    return "job '" + id + "'";
  }
}
