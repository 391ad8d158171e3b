package org.tinamou.daemon.object;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** A loop that nodes and exports can live in. */
public final class IoThreadObject implements UserObject {
  /** What can be set, with what it is at first. */
  static final Map<String, Long> DEFAULTS = new LinkedHashMap<>();

  static {
    DEFAULTS.put("poll-max-ns", 32_768L);
    DEFAULTS.put("poll-grow", 0L);
    DEFAULTS.put("poll-shrink", 0L);
    DEFAULTS.put("aio-max-batch", 0L);
    DEFAULTS.put("thread-pool-min", 0L);
    DEFAULTS.put("thread-pool-max", 64L);
  }

  private static final int MOST_TRIES = 200;
  private static final long PAUSE_NANOS = 5_000_000;

  private final Daemon daemon;
  private final Map<String, Long> values;
  private LoopStarter.@Nullable Loop loop;

  IoThreadObject(Daemon daemon, Map<String, Long> values, LoopStarter.Loop loop) {
    this.daemon = daemon;
    this.values = values;
    this.loop = loop;
  }

  /** Its loop. */
  @AnyThread
  public AioContext context() {
    LoopStarter.Loop current = loop;
    Check.state(current != null, "the loop has ended");
    return java.util.Objects.requireNonNull(current).context();
  }

  /** What {@code query-iothreads} tells. */
  @HomeThread
  public Json.Members report(String id) {
    LoopStarter.Loop current = java.util.Objects.requireNonNull(loop);
    return new Json.Members()
        .put("id", id)
        .put("thread-id", current.threadId())
        .put("poll-max-ns", of(values, "poll-max-ns"))
        .put("poll-grow", of(values, "poll-grow"))
        .put("poll-shrink", of(values, "poll-shrink"))
        .put("aio-max-batch", of(values, "aio-max-batch"));
  }

  @Override
  public Json.Members properties() {
    Json.Members all = new Json.Members();
    values.forEach(all::put);
    return all;
  }

  @Override
  public void set(String property, Json value) throws OptionException {
    if (!(value instanceof Json.Whole(long number))) {
      throw new OptionException("Invalid parameter type for '" + property + "', expected: integer");
    }
    checkRange(property, number);
    values.put(property, number);
    context().turn().setBusyPolling(polling(values));
  }

  static void checkRange(String property, long number) throws OptionException {
    if (number < 0) {
      throw new OptionException(property + " value must be in range [0, " + Long.MAX_VALUE + "]");
    }
  }

  static BusyPolling polling(Map<String, Long> values) {
    return new BusyPolling(
        of(values, "poll-max-ns"), of(values, "poll-grow"), of(values, "poll-shrink"));
  }

  private static long of(Map<String, Long> values, String name) {
    return values.getOrDefault(name, 0L);
  }

  @Override
  public boolean isInUse() {
    AioContext context = context();
    return daemon.graph().nodes().stream().anyMatch(node -> node.context() == context)
        || daemon.graph().backends().stream().anyMatch(backend -> backend.context() == context);
  }

  @Override
  public void close() {
    LoopStarter.Loop ending = loop;
    loop = null;
    if (ending != null) {
      close(ending);
    }
  }

  /** Sessions of clients leave soon after what they use has gone. */
  private void close(LoopStarter.Loop ending) {
    for (int tries = 1; ; tries++) {
      try {
        ending.close();
        return;
      } catch (IllegalStateException alive) {
        if (tries == MOST_TRIES) {
          throw alive;
        }
        daemon.main().sleep(ClockType.REALTIME, PAUSE_NANOS);
      }
    }
  }
}
