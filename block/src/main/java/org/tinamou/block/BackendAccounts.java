package org.tinamou.block;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.block.stats.ContextCounts;
import org.tinamou.block.stats.IoKind;

/** What the requests of a backend amount to: all that is asked for, and by context in any case. */
final class BackendAccounts {
  private static final long UNTIMED = Long.MIN_VALUE;

  private final ContextCounts contexts = new ContextCounts();
  private volatile @Nullable BlockStatistics statistics;

  void keep(@Nullable BlockStatistics wanted) {
    statistics = wanted;
  }

  @Nullable BlockStatistics statistics() {
    return statistics;
  }

  ContextCounts contexts() {
    return contexts;
  }

  /** When a request starts, for the rest of them. */
  long start() {
    BlockStatistics accounts = statistics;
    return accounts == null ? UNTIMED : accounts.start();
  }

  void done(AioContext likely, IoKind kind, long bytes, long start) {
    contexts.done(likely, kind, bytes);
    BlockStatistics accounts = statistics;
    if (accounts != null && start != UNTIMED) {
      accounts.done(kind, bytes, start);
    }
  }

  void failed(AioContext likely, IoKind kind, long start) {
    contexts.failed(likely, kind);
    BlockStatistics accounts = statistics;
    if (accounts != null && start != UNTIMED) {
      accounts.failed(kind, start);
    }
  }

  void invalid(IoKind kind) {
    BlockStatistics accounts = statistics;
    if (accounts != null) {
      accounts.invalid(kind);
    }
  }
}
