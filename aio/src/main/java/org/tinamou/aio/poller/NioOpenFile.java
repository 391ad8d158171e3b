package org.tinamou.aio.poller;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HostFiles.Kind;

/**
 * One open file: its channel, and what it was found to be when it was opened. The channel is closed
 * when nobody uses it any more, so that calls under way keep it. Any thread.
 */
final class NioOpenFile {
  final Path path;
  final FileChannel channel;
  final Kind kind;
  final long device;
  final long inode;

  /** The table's and those of calls under way. */
  private final AtomicInteger uses = new AtomicInteger(1);

  NioOpenFile(Path path, FileChannel channel, Kind kind, long device, long inode) {
    this.path = path;
    this.channel = channel;
    this.kind = kind;
    this.device = device;
    this.inode = inode;
  }

  /** Begins a call; false if the file is closed. */
  @AnyThread
  boolean retain() {
    int count = uses.get();
    while (count > 0) {
      int witness = uses.compareAndExchange(count, count + 1);
      if (witness == count) {
        return true;
      }
      count = witness;
    }
    return false;
  }

  /** Ends a call, or the place in the table. */
  @AnyThread
  void release() throws IOException {
    if (uses.decrementAndGet() == 0) {
      channel.close();
    }
  }
}
