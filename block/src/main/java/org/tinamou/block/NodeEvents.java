package org.tinamou.block;

import java.util.function.Consumer;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;

/** Takes the events of a graph's nodes to its main loop. */
public final class NodeEvents {
  private final AioContext main;
  private Consumer<NodeEvent> listener = _ -> {};
  private volatile Consumer<String> damage =
      line -> System.getLogger(BlockGraph.class.getName()).log(System.Logger.Level.WARNING, line);
  private volatile Consumer<String> errors = line -> damage.accept(line);

  NodeEvents(AioContext main) {
    this.main = main;
  }

  /** Who hears of events from now on, on the main loop. */
  @HomeThread
  public void tellTo(Consumer<NodeEvent> newListener) {
    listener = newListener;
  }

  /** Who hears of damage from now on; a log at first. */
  @HomeThread
  void tellDamageTo(Consumer<String> lines) {
    damage = lines;
  }

  /** Who hears of errors from now on; whoever hears of damage at first. */
  @HomeThread
  void tellErrorsTo(Consumer<String> lines) {
    errors = lines;
  }

  /** Tells of an error at once. */
  @AnyThread
  void complain(String line) {
    errors.accept(line);
  }

  /** Tells of damage at once. */
  @AnyThread
  void diagnose(String line) {
    damage.accept(line);
  }

  /** Tells of an event soon. */
  @AnyThread
  public void tell(NodeEvent event) {
    main.scheduleOnce("event of a node", () -> listener.accept(event));
  }
}
