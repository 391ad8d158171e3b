package org.tinamou.block;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.stats.IoKind;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleMember;

/**
 * How fast the user of a backend may be: its place in a group, if it has one. Requests wait here
 * after they have been counted as in flight, so whoever drains lets all of them go.
 */
public final class BackendLimits {
  private final BlockBackend backend;
  private volatile @Nullable ThrottleMember member;
  private AioContext context;
  private int quiesceCount;

  BackendLimits(BlockBackend backend, AioContext context) {
    this.backend = backend;
    this.context = context;
  }

  /** The group whose limits are kept, or null. */
  @AnyThread
  public @Nullable ThrottleGroup group() {
    ThrottleMember limited = member;
    return limited == null ? null : limited.group();
  }

  /** Keeps to the limits of a group from now on, or to none. Main loop. */
  @InCoroutine
  public void keepTo(@Nullable ThrottleGroup group) {
    BlockNode node = backend.node();
    if (node == null) {
      change(group);
      return;
    }
    try (DrainedSection drained = node.drain("limits of " + backend.name())) {
      change(group);
    }
  }

  private void change(@Nullable ThrottleGroup group) {
    ThrottleMember before = member;
    ThrottleMember after = group == null ? null : group.join(backend.name(), context);
    for (int i = 0; after != null && i < quiesceCount; i++) {
      after.disableLimits();
    }
    member = after;
    if (before != null) {
      AioContext main = Coroutine.current().context();
      Coroutine.moveTo(context);
      before.leave();
      Coroutine.moveTo(main);
    }
  }

  /** Waits until a request may go. */
  @InCoroutine
  void await(IoKind kind, long lengthBytes) throws BlockException {
    ThrottleMember limited = member;
    if (limited != null
        && kind != IoKind.FLUSH
        && !limited.intercept(lengthBytes, kind != IoKind.READ)) {
      throw BlockException.of(Errno.ECANCELED, kind.word());
    }
  }

  @HomeThread
  void quiesce() {
    quiesceCount++;
    ThrottleMember limited = member;
    if (limited != null) {
      limited.disableLimits();
    }
  }

  @HomeThread
  void unquiesce() {
    quiesceCount--;
    ThrottleMember limited = member;
    if (limited != null) {
      limited.enableLimits();
    }
  }

  /** The backend has gone to another loop; nothing waits. Main loop. */
  @InCoroutine
  void follow(AioContext target) {
    ThrottleMember limited = member;
    if (limited != null) {
      AioContext main = Coroutine.current().context();
      Coroutine.moveTo(context);
      limited.detachFromContext();
      Coroutine.moveTo(target);
      limited.attachToContext(target);
      Coroutine.moveTo(main);
    }
    context = target;
  }
}
