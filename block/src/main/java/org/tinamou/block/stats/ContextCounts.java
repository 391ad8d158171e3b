package org.tinamou.block.stats;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.qapi.Json;

/**
 * How many requests of a backend have ended in each AioContext, by the context's name: a request is
 * counted where its coroutine is when it ends, whichever context the disk belongs to.
 *
 * <p>Any thread, all at once. Counters are read one after another while requests go on.
 */
public final class ContextCounts {
  /** Requests that end in more contexts than these are counted together. */
  private static final int MAX_CONTEXTS = 64;

  private static final String OTHERS = "others";
  private static final int BYTES = 0;
  private static final int OPERATIONS = 1;
  private static final int FAILED = 2;
  private static final int WIDTH = 3;

  /** The counters of one context: bytes, operations and failed ones of each kind. */
  private record Counters(String context, AtomicLongArray values) {
    Counters(String context) {
      this(context, new AtomicLongArray(IoKind.values().length * WIDTH));
    }

    void add(IoKind kind, int what, long count) {
      values.getAndAdd(kind.ordinal() * WIDTH + what, count);
    }

    long of(IoKind kind, int what) {
      return values.get(kind.ordinal() * WIDTH + what);
    }
  }

  /** Replaced as a whole. */
  private final AtomicReference<Counters[]> all = new AtomicReference<>(new Counters[0]);

  /**
   * A request has succeeded, in the current coroutine; as {@link BlockStatistics#done}.
   *
   * @param likely where that probably runs
   */
  @AnyThread
  public void done(AioContext likely, IoKind kind, long bytes) {
    Counters here = here(likely);
    here.add(kind, OPERATIONS, 1);
    here.add(kind, BYTES, bytes);
  }

  /** A request has failed, in the current coroutine. */
  @AnyThread
  public void failed(AioContext likely, IoKind kind) {
    here(likely).add(kind, FAILED, 1);
  }

  private Counters here(AioContext likely) {
    String name = Coroutine.isRunningOn(likely) ? likely.name() : nameOfCurrent();
    Counters[] known = all.get();
    Counters found = find(known, name);
    while (found == null) {
      Counters[] more = Arrays.copyOf(known, known.length + 1);
      more[known.length] = new Counters(known.length < MAX_CONTEXTS ? name : OTHERS);
      all.compareAndSet(known, more);
      known = all.get();
      found = find(known, name);
    }
    return found;
  }

  private static String nameOfCurrent() {
    Coroutine current = Coroutine.currentOrNull();
    return current == null ? OTHERS : current.context().name();
  }

  private static @Nullable Counters find(Counters[] known, String name) {
    for (Counters each : known) {
      if (each.context().equals(name)) {
        return each;
      }
    }
    return known.length > MAX_CONTEXTS ? known[MAX_CONTEXTS] : null;
  }

  /** One entry for each context, in the order in which they were met. */
  @AnyThread
  public Json.Array report() {
    Json.Array report = new Json.Array();
    for (Counters each : all.get()) {
      Json.Members members = new Json.Members().put("context", each.context());
      for (IoKind kind : IoKind.values()) {
        String prefix = kind.prefix();
        if (kind.hasBytes()) {
          members.put(prefix + "_bytes", each.of(kind, BYTES));
        }
        members.put(prefix + "_operations", each.of(kind, OPERATIONS));
        members.put("failed_" + prefix + "_operations", each.of(kind, FAILED));
      }
      report.add(members);
    }
    return report;
  }
}
