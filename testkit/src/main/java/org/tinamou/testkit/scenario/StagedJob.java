package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobEvent;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobType;

/**
 * A job that reads one node again and again until it is told to end, and notes what it is asked.
 */
final class StagedJob extends BlockJob {
  final List<String> calls = new ArrayList<>();

  /** It ends its work with its next step. */
  volatile boolean finish;

  /** It becomes ready first, and then waits to be completed. */
  volatile boolean becomesReady;

  /** Its work fails with this error. */
  volatile @Nullable Errno failure;

  /** It cannot prepare its end. */
  @Nullable Errno prepareFailure;

  final AtomicInteger steps = new AtomicInteger();
  private final Stage stage;
  private final Edge edge;
  private volatile boolean complete;

  StagedJob(Stage stage, JobList list, JobSettings settings, BlockNode node) throws BlockException {
    super(list, node.graph(), settings, JobType.COMMIT, node.context());
    this.stage = stage;
    this.edge = hold("main node", node, Permission.CONSISTENT_READ, Permission.ALL).edge();
    progress().setRemaining(1000);
  }

  @Override
  protected void run() throws BlockException {
    while (!finish) {
      step();
    }
    if (becomesReady) {
      becomeReady();
      while (!complete && !isCancelRequested()) {
        step();
      }
    }
  }

  private void step() throws BlockException {
    pausePoint();
    Errno error = failure;
    if (error != null) {
      throw BlockException.of(error, "staged");
    }
    stage.require(
        Coroutine.current().context() == edge.child().context(), "I5", "not in its node's loop");
    edge.read(0, IoVector.of(stage.memory(512)), 0);
    progress().advance(1);
    steps.incrementAndGet();
    Coroutine.yieldNow();
  }

  @Override
  protected boolean mustAbort(boolean force) {
    return force || !blockInfo().ready();
  }

  @Override
  protected void completeNow() {
    complete = true;
    enter();
  }

  @Override
  protected void prepare() throws BlockException {
    calls.add("prepare");
    if (prepareFailure != null) {
      throw BlockException.of(prepareFailure, "staged");
    }
  }

  @Override
  protected void commit() {
    calls.add("commit");
  }

  @Override
  protected void abort() {
    calls.add("abort");
  }

  @Override
  protected void clean() {
    calls.add("clean");
    super.clean();
  }

  /** The states a list of jobs tells of, as "id:state", and the other events by their names. */
  static List<String> record(JobList list) {
    List<String> told = new ArrayList<>();
    list.addListener(
        event ->
            told.add(
                event.job().id()
                    + ":"
                    + (event instanceof JobEvent.StatusChanged changed
                        ? changed.status().wireName()
                        : event.getClass().getSimpleName())));
    return told;
  }
}
