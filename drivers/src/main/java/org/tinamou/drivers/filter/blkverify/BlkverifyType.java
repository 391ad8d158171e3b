package org.tinamou.drivers.filter.blkverify;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code driver=blkverify}, and names of the form {@code blkverify:RAW:IMAGE}. */
public final class BlkverifyType implements DriverType.Protocol {
  private static final String PREFIX = "blkverify:";

  /** Where the names of the images are handed over; nobody else's. */
  private static final String RAW_NAME = "x-raw";

  private static final String TEST_NAME = "x-image";

  @Override
  public String name() {
    return "blkverify";
  }

  @Override
  public List<String> prefixes() {
    return List.of("blkverify");
  }

  @Override
  public boolean isFilter() {
    return true;
  }

  @Override
  public Json.Members optionsOfName(String fileName) throws OptionException {
    Json.Members options = new Json.Members();
    if (!fileName.startsWith(PREFIX)) {
      return options.put(TEST_NAME, fileName);
    }
    String rest = fileName.substring(PREFIX.length());
    int colon = rest.indexOf(':');
    if (colon < 0) {
      throw new OptionException("blkverify requires raw copy and original image path");
    }
    return options
        .put(RAW_NAME, rest.substring(0, colon))
        .put(TEST_NAME, rest.substring(colon + 1));
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    OptionReader options = opening.options();
    String rawName = options.stringOrNull(RAW_NAME);
    String testName = options.stringOrNull(TEST_NAME);
    Set<EdgeRole> filtered = EnumSet.of(EdgeRole.FILTERED, EdgeRole.PRIMARY);
    Edge raw = child(opening, "raw", rawName, true, filtered);
    Edge test = child(opening, "test", testName, false, EnumSet.of(EdgeRole.DATA));
    return new BlkverifyDriver(opening.node(), raw, test);
  }

  private static Edge child(
      NodeOpening opening,
      String name,
      @Nullable String fileName,
      boolean protocol,
      Set<EdgeRole> roles)
      throws BlockException, OptionException {
    Edge edge =
        opening.childOrNull(
            name, fileName, protocol, roles, Permission.CONSISTENT_READ, Permission.ALL);
    if (edge == null) {
      throw new BlockException(
          Errno.EINVAL, "A block device must be specified for \"" + name + "\"");
    }
    return edge;
  }
}
