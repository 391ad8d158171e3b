package org.tinamou.jobs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BottomHalf;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeNames;
import org.tinamou.qapi.ErrorClass;

/** All jobs of one program, whoever wants to know what happens to them, and what they block. */
public final class JobList {
  private static final Pattern ID = Pattern.compile("[A-Za-z][A-Za-z0-9._-]*");

  private final AioContext main;
  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final List<JobListener> listeners = new CopyOnWriteArrayList<>();
  private final Map<BlockNode, List<Job>> blockers = new LinkedHashMap<>();
  private final Queue<JobEvent> events = new ConcurrentLinkedQueue<>();
  private final CoMutex creating = new CoMutex("creation of a job");
  private final BottomHalf delivery;
  private boolean delivering;

  /**
   * An empty list.
   *
   * @param main the loop on which jobs are told what to do
   */
  public JobList(AioContext main) {
    this.main = main;
    this.delivery = main.bottomHalf("events of jobs", this::deliver);
  }

  @AnyThread
  public AioContext main() {
    return main;
  }

  // ----------------------------------------------------------------------------------- who is
  // there

  /** The newest first. */
  @HomeThread
  public List<Job> all() {
    return new ArrayList<>(jobs.values()).reversed();
  }

  /** The block jobs, the newest first. */
  @HomeThread
  public List<BlockJob> blockJobs() {
    List<BlockJob> found = new ArrayList<>();
    for (Job job : all()) {
      if (job instanceof BlockJob each) {
        found.add(each);
      }
    }
    return found;
  }

  @HomeThread
  public @Nullable Job find(String id) {
    return jobs.get(id);
  }

  /** The job of that name, for the verbs that are for all jobs. */
  @HomeThread
  public Job get(String id) throws BlockException {
    Job found = find(id);
    if (found == null) {
      throw new BlockException(Errno.ENOENT, "Job not found");
    }
    return found;
  }

  /** The block job of that name, for the verbs that are for block jobs. */
  @HomeThread
  public BlockJob getBlockJob(String id) throws BlockException {
    if (find(id) instanceof BlockJob found) {
      return found;
    }
    throw new BlockException(ErrorClass.DEVICE_NOT_ACTIVE, "Block job '" + id + "' not found");
  }

  /** The right to make a job out of nodes that are free, until it is closed. */
  public final class Creation implements AutoCloseable {
    private Creation() {}

    @InCoroutine
    @Override
    public void close() {
      creating.unlock();
    }
  }

  /**
   * Keeps others from making jobs between the check whether nodes are free and when a job has them.
   * Waits until they have theirs; nothing that may take long is waited for before it is closed.
   */
  @InCoroutine
  public Creation createAlone() {
    creating.lock();
    return new Creation();
  }

  void add(Job job) throws BlockException {
    Check.state(main.isHome(), "jobs are created on the main loop");
    if (!ID.matcher(job.id()).matches()) {
      throw new BlockException(Errno.EINVAL, "Invalid job ID '" + job.id() + "'");
    }
    if (jobs.containsKey(job.id())) {
      throw new BlockException(Errno.EEXIST, "Job ID '" + job.id() + "' already in use");
    }
    jobs.put(job.id(), job);
  }

  void remove(Job job) {
    jobs.remove(job.id(), job);
  }

  /**
   * Has every job give up, and waits until all have ended. Main loop.
   *
   * @param settle run in between, where something has to be done for requests of jobs to end soon
   */
  @InCoroutine
  public void cancelAll(Runnable settle) {
    for (Job job : List.copyOf(jobs.values())) {
      job.giveUp();
    }
    if (!jobs.isEmpty()) {
      settle.run();
    }
    while (!jobs.isEmpty()) {
      Job job = jobs.values().iterator().next();
      job.awaitConcluded();
      job.forget();
    }
  }

  // ---------------------------------------------------------------------------------------
  // blockers

  /** Why most commands cannot touch the node, or null: a job uses it. */
  @HomeThread
  public @Nullable String blockerOf(BlockNode node) {
    List<Job> users = blockers.get(node);
    return users == null
        ? null
        : "block device is in use by block job: " + users.getFirst().type().wireName();
  }

  /**
   * For a command that needs the node for itself.
   *
   * @throws BlockException if a job uses it
   */
  @HomeThread
  public void checkNotBlocked(BlockNode node) throws BlockException {
    String reason = blockerOf(node);
    if (reason != null) {
      throw new BlockException(
          Errno.EBUSY, "Node '%s' is busy: %s".formatted(NodeNames.deviceOrNode(node), reason));
    }
  }

  void block(BlockNode node, Job job) {
    blockers.computeIfAbsent(node, any -> new ArrayList<>()).add(job);
  }

  void unblock(BlockNode node, Job job) {
    List<Job> users = blockers.get(node);
    if (users != null && users.remove(job) && users.isEmpty()) {
      blockers.remove(node);
    }
  }

  // -----------------------------------------------------------------------------------------
  // events

  @HomeThread
  public void addListener(JobListener listener) {
    listeners.add(listener);
  }

  @HomeThread
  public void removeListener(JobListener listener) {
    listeners.remove(listener);
  }

  /** Told at once on the main loop, else soon; always in order. */
  @AnyThread
  void tell(JobEvent event) {
    events.add(event);
    if (main.isHome()) {
      deliver();
    } else {
      delivery.schedule();
    }
  }

  private void deliver() {
    if (delivering) {
      return; // by a listener that does something to a job: the loop below goes on with it
    }
    delivering = true;
    try {
      for (JobEvent event = events.poll(); event != null; event = events.poll()) {
        for (JobListener listener : listeners) {
          listener.happened(event);
        }
      }
    } finally {
      delivering = false;
    }
  }
}
