package org.tinamou.drivers.filter.quorum;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code driver=quorum}. */
public final class QuorumType implements DriverType {
  static final Set<EdgeRole> ROLES = EnumSet.of(EdgeRole.DATA);

  private static final int MAX_CHILDREN = 256;
  private static final String THRESHOLD = "vote-threshold";
  private static final String VERIFY = "blkverify";
  private static final String REWRITE = "rewrite-corrupted";
  private static final String PATTERN = "read-pattern";

  @Override
  public String name() {
    return "quorum";
  }

  @Override
  public List<String> significantOptions() {
    return List.of(THRESHOLD, VERIFY, REWRITE, PATTERN);
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    OptionReader options = opening.options();
    Long given = options.int64OrNull(THRESHOLD);
    long threshold = given == null ? 0 : given;
    String pattern = options.wordOrNull(PATTERN, List.of("quorum", "fifo"));
    boolean fifo = "fifo".equals(pattern);
    boolean verify = options.bool(VERIFY, false);
    boolean rewrite = options.bool(REWRITE, false);
    List<OptionReader.Choice> children = options.choices("children", "BlockdevRef");
    if (children.isEmpty()) {
      throw invalid("Number of provided children must be 1 or more");
    }
    if (children.size() > MAX_CHILDREN) {
      throw invalid("A quorum has " + MAX_CHILDREN + " children at most");
    }
    if (threshold < 1) {
      throw invalid("Parameter '" + THRESHOLD + "' expects a value >= 1");
    }
    if (threshold > children.size()) {
      throw invalid("threshold may not exceed children count");
    }
    if (!fifo && verify && (children.size() != 2 || threshold != 2)) {
      throw invalid(
          "blkverify=on can only be set if there are exactly two files and vote-threshold is 2");
    }
    if (!fifo && verify && rewrite) {
      throw invalid("rewrite-corrupted=on cannot be used with blkverify=on");
    }
    if (!fifo && rewrite && opening.settings().readOnly()) {
      throw new BlockException(Errno.EACCES, "Block node is read-only");
    }
    List<Edge> edges =
        opening.children("children", children, ROLES, Permission.NONE, Permission.DEFAULT_SHARED);
    QuorumSettings settings =
        new QuorumSettings((int) threshold, fifo, !fifo && verify, !fifo && rewrite);
    return new QuorumDriver(opening.node(), settings, edges);
  }

  private static BlockException invalid(String message) {
    return new BlockException(Errno.EINVAL, message);
  }
}
