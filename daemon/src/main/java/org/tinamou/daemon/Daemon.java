package org.tinamou.daemon;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.NodeWork;
import org.tinamou.block.RemotePatience;
import org.tinamou.block.open.DriverList;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.daemon.command.CommandList;
import org.tinamou.daemon.export.Exports;
import org.tinamou.daemon.object.ObjectTypes;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.drivers.filter.throttle.ThrottleGroupObject;
import org.tinamou.drivers.protocol.file.DescriptorSets;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.WritableImages;
import org.tinamou.monitor.Command;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionValues;

/**
 * One block graph with all that users define over it. A program has one; a test may have several.
 *
 * <p>Everything is done in coroutines of the main loop; nodes and exports may live in others.
 */
public final class Daemon {
  private final AioContext main;
  private final BlockGraph graph;
  private final ObjectRegistry objects;
  private final DriverList drivers;
  private final NamedDescriptors namedDescriptors = new NamedDescriptors();
  private final DescriptorSets descriptors = new DescriptorSets(this::isRunning);
  private final HeldNodes nodes;
  private final HeldDrives drives = new HeldDrives();
  private final Exports exports;
  private final EventSink events;
  private final JobList jobs;
  private final WritableImages writable = new WritableImages(this::setReadOnly);
  private final Map<String, Command> commands;
  private @Nullable Runnable quit;
  private @Nullable Runnable quitAsked;
  private Consumer<String> output = _ -> {};
  private volatile boolean running = true;
  private boolean started = true;
  private @Nullable String stoppedFor;

  /**
   * A daemon without nodes.
   *
   * @param main the loop on which commands run
   * @param loops starts the loops of iothread objects
   */
  public Daemon(AioContext main, LoopStarter loops) {
    this(main, loops, (ObjectRegistry known, DescriptorSets sets) -> Drivers.list(known, sets));
  }

  /** A daemon with other drivers, for tests. */
  public Daemon(AioContext main, LoopStarter loops, Function<ObjectRegistry, DriverList> source) {
    this(main, loops, (ObjectRegistry known, DescriptorSets _) -> source.apply(known));
  }

  private Daemon(
      AioContext main,
      LoopStarter loops,
      BiFunction<ObjectRegistry, DescriptorSets, DriverList> source) {
    this.main = main;
    this.events = new EventSink(main);
    this.graph = new BlockGraph(main);
    graph.events().tellTo(new NodeEventReport(events));
    this.jobs = new JobList(main);
    this.objects = new ObjectRegistry(ObjectTypes.ofDaemon(this, loops));
    this.drivers = source.apply(objects, descriptors);
    this.nodes = new HeldNodes(graph, jobs);
    this.exports = new Exports(this);
    this.commands = CommandList.of(this);
  }

  @AnyThread
  public AioContext main() {
    return main;
  }

  @AnyThread
  public BlockGraph graph() {
    return graph;
  }

  /** Secrets, loops, limits: what users refer to by an id. */
  @HomeThread
  public ObjectRegistry objects() {
    return objects;
  }

  /** Descriptors that clients have named. */
  @AnyThread
  public NamedDescriptors namedDescriptors() {
    return namedDescriptors;
  }

  /** Files that were passed to the program. */
  @AnyThread
  public DescriptorSets descriptors() {
    return descriptors;
  }

  @HomeThread
  public HeldNodes nodes() {
    return nodes;
  }

  /** Backends that have names, as a machine has them. */
  @HomeThread
  public HeldDrives drives() {
    return drives;
  }

  @HomeThread
  public Exports exports() {
    return exports;
  }

  /** What goes on for long. */
  @HomeThread
  public JobList jobs() {
    return jobs;
  }

  /** The read-only images that jobs write to. */
  @HomeThread
  public WritableImages writableImages() {
    return writable;
  }

  @AnyThread
  public EventSink events() {
    return events;
  }

  @AnyThread
  public DriverList drivers() {
    return drivers;
  }

  /** What monitors can ask for, by its names. */
  @AnyThread
  public Map<String, Command> commands() {
    return commands;
  }

  /** Gets the lines that belong on the output of the program. */
  @HomeThread
  public void onOutput(Consumer<String> lines) {
    output = lines;
  }

  // -------------------------------------------------------------------------------------- nodes

  /**
   * Makes an image in a file for a command, and says so on the program's output.
   *
   * @param file as the user wrote it
   * @param options checked against {@link ImageCreation#options}
   */
  @InCoroutine
  public void makeImage(String file, String format, OptionValues options)
      throws BlockException, OptionException {
    output.accept("Formatting '" + file + "', fmt=" + format + " " + options.report());
    ImageCreation.create(main, objects, Path.of(file), file, format, options);
  }

  /** Opens a node that stays until a user deletes it. The options have a node-name. */
  @InCoroutine
  public BlockNode addNode(Json.Members options) throws BlockException {
    BlockNode node = open(options);
    nodes.keep(node);
    return node;
  }

  /** Opens a node. The caller holds one reference to it. */
  @InCoroutine
  public BlockNode open(Json.Members options) throws BlockException {
    return open(new ImageAddress(null, options, OptionReader.Style.TYPED), NodeOptions.READ_WRITE);
  }

  /** Opens an image by its name or options. The caller holds one reference to the node. */
  @InCoroutine
  public BlockNode open(ImageAddress address, NodeOptions defaults) throws BlockException {
    return new NodeOpener(graph, drivers).open(address, defaults, main);
  }

  /** The same without what an image stands on. */
  @InCoroutine
  public BlockNode openAlone(ImageAddress address, NodeOptions defaults) throws BlockException {
    return new NodeOpener(graph, drivers, false).open(address, defaults, main);
  }

  /** Does something for which a read-only node becomes writable meanwhile. */
  @InCoroutine
  public void whileWritable(BlockNode node, NodeWork.Action action) throws BlockException {
    WritableImages.Hold hold = writable.hold(node);
    try {
      action.run();
    } finally {
      hold.end();
    }
  }

  /** Has a node refuse to be written to, or no longer; what was opened with it follows. */
  @InCoroutine
  public void setReadOnly(BlockNode node, boolean readOnly) throws BlockException {
    graph.reopen(
        InheritedOptions.changes(node, node.options().withReadOnly(readOnly), null, Map.of()));
  }

  /**
   * Has a drive keep to limits, or to none.
   *
   * @param group with whom it shares them, or null for its present group, else for nobody
   */
  @InCoroutine
  public void limit(BlockBackend drive, ThrottleConfig config, @Nullable String group) {
    drives.limit(
        drive,
        config,
        group,
        name ->
            objects.find(name) instanceof ThrottleGroupObject defined
                ? defined.group(main.clocks())
                : null);
  }

  // ---------------------------------------------------------------------------------------- run

  /** Whether the machine runs; a daemon has none, and says that it does. */
  @AnyThread
  public boolean isRunning() {
    return running;
  }

  @HomeThread
  public void setRunning(boolean runs) {
    running = runs;
    started = true;
    stoppedFor = null;
  }

  /** The machine does not run, and that for a reason. */
  @HomeThread
  public void stopFor(String runState) {
    setRunning(false);
    stoppedFor = runState;
  }

  /** The machine does not run until it is told to. */
  @HomeThread
  public void holdStart() {
    running = false;
    started = false;
  }

  /** What {@code query-status} calls it. */
  @HomeThread
  public String runState() {
    String reason = stoppedFor;
    if (running || !started) {
      return running ? "running" : "prelaunch";
    }
    return reason == null ? "paused" : reason;
  }

  /** What is told when a monitor asks the program to end, before anything ends. */
  @HomeThread
  public void onQuitAsked(Runnable action) {
    quitAsked = action;
  }

  /** A monitor has asked the program to end. */
  @HomeThread
  public void quitAsked() {
    Runnable action = quitAsked;
    if (action != null) {
      action.run();
    }
  }

  /** What is done when exports and jobs have ended because a monitor has asked for it. */
  @HomeThread
  public void onQuit(Runnable action) {
    quit = action;
  }

  /** Asks the program to end. */
  @HomeThread
  public void quit() {
    Runnable action = quit;
    if (action != null) {
      action.run();
    }
  }

  /** From now on nobody waits without bounds for servers that do not answer. */
  @HomeThread
  public RemotePatience limitPatience() {
    return RemotePatience.limit(graph, graph::nodes);
  }

  /**
   * Ends all exports and jobs. Requests that limits hold up go on at once: nobody waits for limits,
   * nor without bounds for servers that do not answer.
   */
  @InCoroutine
  public void endWork() {
    try (RemotePatience patience = limitPatience()) {
      exports.close();
      jobs.cancelAll(() -> graph.drainAll("end of jobs").close());
    }
  }

  /** Ends everything in order: exports, jobs, nodes, objects. Nothing is left open. */
  @InCoroutine
  public void close() {
    try (RemotePatience patience = limitPatience()) {
      closeAll();
    }
  }

  private void closeAll() {
    endWork();
    drives.close();
    nodes.close();
    List<Integer> named = namedDescriptors.takeAll();
    main.callBlocking(
        () -> {
          descriptors.close(main.hostFiles());
          named.forEach(fd -> descriptors.closeUnwanted(main.hostFiles(), fd));
          return true;
        });
    objects.close();
  }
}
