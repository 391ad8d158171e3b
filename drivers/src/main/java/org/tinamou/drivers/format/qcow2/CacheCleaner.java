package org.tinamou.drivers.format.qcow2;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ClockType;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeWork;

/**
 * Gives back memory of an image's caches that nobody has used for an interval. It rests while there
 * is nothing that could be given back, so that an image nobody uses has no timer; what is loaded or
 * written back while the image is drained is noticed with the next thing that is.
 */
final class CacheCleaner {
  private static final long NANOS_A_SECOND = 1_000_000_000L;

  private final BlockNode node;
  private final Qcow2Image image;
  private final List<TableCache> caches;
  private NodeWork.@Nullable NodeTimer timer;
  private volatile boolean awake;
  private volatile boolean stopped;

  CacheCleaner(BlockNode node, Qcow2Image image) {
    this.node = node;
    this.image = image;
    this.caches = List.of(image.map().slices(), image.refcounts().blocks());
    caches.forEach(cache -> cache.whenCleanable(this::wake));
  }

  /** How much memory the caches take. */
  @AnyThread
  long memoryBytes() {
    return caches.stream().mapToLong(TableCache::memoryBytes).sum();
  }

  /** Something may be unused one day. The caller holds the metadata lock. */
  private void wake() {
    if (awake || stopped || intervalNanos() == 0 || node.isQuiesced()) {
      return;
    }
    awake = true;
    node.work().schedule("start of cache cleaner", this::arm);
  }

  private long intervalNanos() {
    return image.options().cleanIntervalSeconds() * NANOS_A_SECOND;
  }

  /** The interval is another one, or begins anew. The node is drained; main loop. */
  @HomeThread
  void restart() {
    awake = true;
    node.work().schedule("start of cache cleaner", this::arm);
  }

  private void arm() {
    NodeWork.NodeTimer armed = timer;
    if (armed == null) {
      armed = node.work().timer(ClockType.REALTIME, "cache cleaner", this::tick);
      timer = armed;
    }
    long interval = intervalNanos();
    if (stopped || interval == 0) {
      awake = false;
      armed.cancel();
    } else {
      long now = node.context().clocks().nanos(ClockType.REALTIME);
      armed.armAt(now + Math.min(interval, Long.MAX_VALUE - now));
    }
  }

  private void tick() {
    node.work().spawn("cache cleaner", this::clean);
  }

  /** Whoever holds the tables uses them: that can wait for another interval. */
  @InCoroutine
  private void clean() {
    if (image.metadata().tryLock()) {
      try {
        boolean more = false;
        for (TableCache cache : caches) {
          more |= cache.clean();
        }
        awake = more;
      } finally {
        image.metadata().unlock();
      }
    }
    if (awake) {
      arm();
    }
  }

  /** The node has left its loop. */
  void stop() {
    stopped = true;
  }
}
