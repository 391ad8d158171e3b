package org.tinamou.jobs.chain;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.open.GenericOptions;
import org.tinamou.drivers.filter.FilterDriver;

/**
 * Stands in front of what is committed: whoever is above need not fear the writes to the base
 * below, since what shows through here stays the same.
 */
final class CommitTop extends FilterDriver
    implements BlockDriver.NamedAsOther, BlockDriver.Unnoticed, BlockDriver.PermissionMapper {
  private CommitTop(Edge file) {
    super(file);
  }

  /**
   * Puts a filter in front of a node; the caller holds one reference to it.
   *
   * @param name null for a generated one
   */
  @InCoroutine
  static BlockNode insert(BlockNode top, @Nullable String name) throws BlockException {
    if (name != null) {
      GenericOptions.checkNodeName(name);
    }
    BlockNode filter =
        top.graph()
            .open(
                name,
                NodeOptions.READ_WRITE.withReadOnly(true),
                top.context(),
                node ->
                    new CommitTop(
                        node.attachChild(
                            "backing",
                            Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                            top,
                            Permission.CONSISTENT_READ,
                            Permission.ALL)));
    try {
      top.graph().replace(top, filter);
    } catch (BlockException | RuntimeException refused) {
      top.graph().release(filter);
      throw refused;
    }
    return filter;
  }

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    return new PermissionPair(used | Permission.CONSISTENT_READ, Permission.ALL);
  }

  @Override
  public String formatName() {
    return "commit_top";
  }

  /** That of what it stands in front of: it is opened again without it. */
  @Override
  public BlockNode namesake() {
    return file().child();
  }

  @Override
  public Edge passRead() {
    return file();
  }

  @Override
  public BlockNode behind() {
    return file().child();
  }
}
