package org.tinamou.tools.image;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.drivers.format.qcow2.Qcow2Driver;
import org.tinamou.drivers.format.raw.RawFormat;
import org.tinamou.drivers.protocol.file.FileNode;
import org.tinamou.drivers.protocol.file.MappedFile;

/**
 * An image's bytes where they lie in the host's cache, as far as they lie there as they are: of raw
 * and qcow2 images in files, with nothing between them. Coroutines of any loop.
 */
public final class MappedImage {
  private final OpenImage image;
  private final Map<BlockNode, MappedFile> files;

  private MappedImage(OpenImage image, Map<BlockNode, MappedFile> files) {
    this.image = image;
    this.files = files;
  }

  /**
   * Maps what an image and those below it are in, until the arena closes.
   *
   * @return null if something is not in a file, or somebody else may change it
   */
  public static @Nullable MappedImage of(OpenImage image, Arena arena) throws BlockException {
    Map<BlockNode, MappedFile> files = new HashMap<>();
    boolean possible = !image.options().forceShare() && add(image.node(), arena, files);
    return possible ? new MappedImage(image, files) : null;
  }

  private static boolean add(BlockNode node, Arena arena, Map<BlockNode, MappedFile> files)
      throws BlockException {
    BlockDriver driver = node.driverOrNull();
    if (driver instanceof FileNode file) {
      MappedFile mapped = MappedFile.of(file.file(), arena);
      if (mapped != null) {
        files.put(node, mapped);
      }
      return mapped != null;
    }
    if (!(driver instanceof RawFormat || driver instanceof Qcow2Driver)) {
      return false;
    }
    for (Edge edge : node.children()) {
      if (!add(edge.child(), arena, files)) {
        return false;
      }
    }
    return true;
  }

  /** A range of the image in one of its files. */
  public record Place(MappedFile file, long offsetBytes, MemorySegment bytes) {
    /** What lies that far behind it in the file will be asked for soon. */
    public void announce(long furtherBytes) {
      file.announce(offsetBytes + furtherBytes, bytes.byteSize());
    }

    /** The range was read; it need not stay in the process's memory. */
    public void done() {
      file.done(offsetBytes, bytes.byteSize());
    }
  }

  /** Where a range lies, or null if it does not lie in one piece and as it is. */
  public @Nullable Place at(long offsetBytes, long lengthBytes) throws BlockException {
    BlockStatus status = image.backend().status(offsetBytes, lengthBytes, false);
    for (Edge below = ChainExtents.below(image.node());
        !status.has(BlockStatus.ALLOCATED) && below != null;
        below = ChainExtents.below(below.child())) {
      if (status.lengthBytes() < lengthBytes || offsetBytes + lengthBytes > below.lengthBytes()) {
        return null;
      }
      status = below.status(offsetBytes, lengthBytes, false);
    }
    BlockNode holder = status.file();
    MappedFile file = holder == null ? null : files.get(holder);
    if (file == null
        || status.lengthBytes() < lengthBytes
        || !status.has(BlockStatus.DATA)
        || !status.has(BlockStatus.OFFSET_VALID)
        || status.has(BlockStatus.ZERO)) {
      return null;
    }
    MemorySegment bytes = file.at(status.mappedOffsetBytes(), lengthBytes);
    return bytes == null ? null : new Place(file, status.mappedOffsetBytes(), bytes);
  }
}
