package org.tinamou.tools.image;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.EnumSet;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.protocol.file.AlignedMemory;

/**
 * Keeps what is written to an image in a temporary file that is gone with it; the image below stays
 * as it was. Which clusters are in the file is known in memory only.
 */
public final class TemporaryOverlay implements BlockDriver.Writable, BlockDriver.PermissionMapper {
  private static final int CLUSTER_BYTES = 64 << 10;

  private final Edge image;
  private final Edge changes;
  private final long lengthBytes;
  private final BitSet changed = new BitSet();
  private final CoMutex clusters = new CoMutex("clusters of a temporary overlay");

  private TemporaryOverlay(Edge image, Edge changes, long lengthBytes) {
    this.image = image;
    this.changes = changes;
    this.lengthBytes = lengthBytes;
  }

  /**
   * A node that shows an image and takes writes.
   *
   * @param image its node; the caller keeps his reference
   * @return the caller holds a reference to it
   */
  @InCoroutine
  public static BlockNode over(NodeOpener opener, BlockNode image, AioContext context)
      throws BlockException {
    BlockGraph graph = opener.graph();
    long length = image.lengthBytes();
    Path path = makeFile(context, length);
    BlockNode file;
    try {
      file =
          opener.open(
              ImageAddress.ofName(path.toString(), "file"), NodeOptions.READ_WRITE, context);
    } finally {
      context.callBlocking(() -> removeFile(path));
    }
    try {
      return graph.open(
          null,
          NodeOptions.READ_WRITE,
          context,
          node ->
              new TemporaryOverlay(
                  node.attachChild(
                      "backing",
                      EnumSet.of(EdgeRole.COPY_ON_WRITE),
                      image,
                      Permission.CONSISTENT_READ,
                      Permission.DEFAULT_SHARED),
                  node.attachChild(
                      "file",
                      EnumSet.of(EdgeRole.DATA, EdgeRole.PRIMARY),
                      file,
                      Permission.CONSISTENT_READ | Permission.WRITE,
                      Permission.ALL),
                  length));
    } finally {
      graph.release(file);
    }
  }

  private static Path makeFile(AioContext context, long lengthBytes) throws BlockException {
    try {
      return context.callBlocking(
          () -> {
            String directory = System.getenv().getOrDefault("TMPDIR", "/var/tmp");
            Path path = Files.createTempFile(Path.of(directory), "vl.", "");
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
              file.setLength(lengthBytes);
            }
            return path;
          });
    } catch (IOException e) {
      throw BlockException.of(Errno.EIO, "Could not get temporary filename");
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean removeFile(Path path) {
    // The open file stays until it is closed.
    return path.toFile().delete();
  }

  @Override
  public String formatName() {
    return "temporary-overlay";
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE;
  }

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    return edge.name().equals("file")
        ? new PermissionPair(Permission.CONSISTENT_READ | Permission.WRITE, Permission.ALL)
        : new PermissionPair(Permission.CONSISTENT_READ, Permission.DEFAULT_SHARED);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    clusters.lock();
    try {
      long end = offsetBytes + buffer.sizeBytes();
      for (long offset = offsetBytes; offset < end; ) {
        boolean here = changed.get(clusterOf(offset));
        long next = Math.min(end, runEnd(offset, end, here));
        (here ? changes : image)
            .read(offset, buffer.slice(offset - offsetBytes, next - offset), flags);
        offset = next;
      }
    } finally {
      clusters.unlock();
    }
  }

  private static int clusterOf(long offset) {
    return Math.toIntExact(offset / CLUSTER_BYTES);
  }

  /** Where the clusters end that are in the same place as the one at an offset. */
  private long runEnd(long offset, long end, boolean here) {
    long next = (long) (clusterOf(offset) + 1) * CLUSTER_BYTES;
    while (next < end && changed.get(clusterOf(next)) == here) {
      next += CLUSTER_BYTES;
    }
    return next;
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    if (buffer.sizeBytes() == 0) {
      return;
    }
    long end = offsetBytes + buffer.sizeBytes();
    clusters.lock();
    try {
      int first = clusterOf(offsetBytes);
      int last = clusterOf(end - 1);
      if (offsetBytes % CLUSTER_BYTES != 0) {
        bringUp(first);
      }
      if (end % CLUSTER_BYTES != 0 && end != lengthBytes) {
        bringUp(last);
      }
      changes.write(offsetBytes, buffer, RequestFlags.NONE);
      changed.set(first, last + 1);
    } finally {
      clusters.unlock();
    }
  }

  /** Copies a cluster that is going to be written to in part. */
  private void bringUp(int cluster) throws BlockException {
    if (changed.get(cluster)) {
      return;
    }
    long offset = (long) cluster * CLUSTER_BYTES;
    long length = Math.min(CLUSTER_BYTES, lengthBytes - offset);
    try (Arena arena = Arena.ofShared()) {
      IoVector buffer = IoVector.of(AlignedMemory.allocate(arena, length));
      image.read(offset, buffer, RequestFlags.NONE);
      changes.write(offset, buffer, RequestFlags.NONE);
    }
    changed.set(cluster);
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  /** What is gone when the image is closed does not have to reach a disk. */
  @Override
  public void flush() {}

  @Override
  public void close() {}
}
