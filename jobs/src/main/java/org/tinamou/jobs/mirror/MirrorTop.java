package org.tinamou.jobs.mirror;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.filter.FilterDriver;

/**
 * Stands in front of what is mirrored: every change of it is noted or, if the copy mode says so,
 * made on the target too.
 */
final class MirrorTop extends FilterDriver
    implements BlockDriver.NamedAsOther, BlockDriver.Unnoticed, BlockDriver.PermissionMapper {
  private final Edge target;
  private final boolean targetIsBelow;
  private volatile @Nullable MirrorTracking tracking;
  private volatile boolean targetUsed;

  private MirrorTop(Edge file, Edge target, boolean targetIsBelow) {
    super(file);
    this.target = target;
    this.targetIsBelow = targetIsBelow;
  }

  /**
   * The driver of a node that opens.
   *
   * @param targetIsBelow whether the target is an image of the source's own chain
   */
  static MirrorTop open(BlockNode node, BlockNode source, BlockNode target, boolean targetIsBelow)
      throws BlockException {
    Edge file =
        node.attachChild(
            "file",
            Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
            source,
            Permission.CONSISTENT_READ,
            Permission.ALL);
    Edge to =
        node.attachChild("target", Set.of(EdgeRole.DATA), target, Permission.NONE, Permission.ALL);
    return new MirrorTop(file, to, targetIsBelow);
  }

  Edge source() {
    return file();
  }

  Edge target() {
    return target;
  }

  /** Where changes go from now on; null for nowhere. */
  @AnyThread
  void track(@Nullable MirrorTracking next) {
    tracking = next;
  }

  /** The target is written to from now on; counts when permissions are worked out anew. */
  void useTarget() {
    targetUsed = true;
  }

  /** The target is written to no more; the same. */
  void releaseTarget() {
    targetUsed = false;
  }

  private static PermissionPair ofTarget(boolean targetIsBelow) {
    return targetIsBelow
        ? new PermissionPair(Permission.WRITE | Permission.RESIZE, Permission.ALL)
        : new PermissionPair(Permission.WRITE, Permission.WRITE_UNCHANGED);
  }

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    if (edge == target || edge.name().equals("target")) {
      return targetUsed
          ? ofTarget(targetIsBelow)
          : new PermissionPair(Permission.NONE, Permission.ALL);
    }
    // What is below is written by the mirror, and shows the same as before.
    return new PermissionPair(
        used | Permission.CONSISTENT_READ, targetIsBelow ? Permission.ALL : shared);
  }

  @Override
  public BlockNode namesake() {
    return file().child();
  }

  @Override
  public String formatName() {
    return "mirror_top";
  }

  @Override
  public Edge passRead() {
    return file();
  }

  @Override
  public int writeFlags() {
    return file().writeFlags() & target.writeFlags();
  }

  @Override
  public int zeroFlags() {
    return writeFlags();
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    MirrorTracking now = tracking;
    if (now == null) {
      file().write(offsetBytes, buffer, flags);
    } else {
      now.write(this, offsetBytes, buffer, flags);
    }
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    MirrorTracking now = tracking;
    if (now == null) {
      return file().writeZeroes(offsetBytes, lengthBytes, flags);
    }
    boolean[] done = new boolean[1];
    now.change(
        offsetBytes,
        lengthBytes,
        () -> done[0] = file().writeZeroes(offsetBytes, lengthBytes, flags),
        () -> {
          if (done[0]) { // else buffers follow
            target.writeZeroes(offsetBytes, lengthBytes, flags & ~RequestFlags.NO_FALLBACK);
          }
        });
    return done[0];
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    MirrorTracking now = tracking;
    if (now == null) {
      return super.discard(offsetBytes, lengthBytes);
    }
    now.changeSourceOnly(offsetBytes, lengthBytes, () -> file().discard(offsetBytes, lengthBytes));
    return true;
  }

  @Override
  public BlockNode behind() {
    return file().child();
  }
}
