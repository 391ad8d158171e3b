package org.tinamou.drivers.filter.blkdebug;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.FileNames;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code driver=blkdebug}, and names of the form {@code blkdebug:RULES:IMAGE}. */
public final class BlkdebugType implements DriverType.Protocol {
  private static final String PREFIX = "blkdebug:";
  private static final String CONFIG = "config";

  /** Where the name of the image is handed over; nobody else's. */
  private static final String IMAGE_NAME = "x-image";

  private static final List<String> PERMISSION_NAMES =
      List.of("consistent-read", "write", "write-unchanged", "resize");

  /** What a plain name cannot say. */
  private static final List<String> BEYOND_NAME =
      List.of(
          "align",
          "max-transfer",
          "opt-write-zero",
          "max-write-zero",
          "opt-discard",
          "max-discard",
          "take-child-perms.",
          "unshare-child-perms.",
          Rules.INJECT_ERROR + ".",
          Rules.SET_STATE + ".");

  @Override
  public String name() {
    return "blkdebug";
  }

  @Override
  public List<String> prefixes() {
    return List.of("blkdebug");
  }

  @Override
  public boolean isFilter() {
    return true;
  }

  @Override
  public List<String> significantOptions() {
    List<String> all = new java.util.ArrayList<>(BEYOND_NAME);
    all.add(CONFIG);
    return all;
  }

  @Override
  public Json.Members optionsOfName(String fileName) throws OptionException {
    Json.Members options = new Json.Members();
    if (!fileName.startsWith(PREFIX)) {
      return options.put(IMAGE_NAME, fileName);
    }
    String rest = fileName.substring(PREFIX.length());
    int colon = rest.indexOf(':');
    if (colon < 0) {
      throw new OptionException("blkdebug requires both config file and image path");
    }
    if (colon > 0) {
      options.put(CONFIG, rest.substring(0, colon));
    }
    return options.put(IMAGE_NAME, rest.substring(colon + 1));
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    OptionReader options = opening.options();
    String config = options.stringOrNull(CONFIG);
    String imageName = options.stringOrNull(IMAGE_NAME);
    Rules rules = new Rules();
    if (config != null) {
      RuleFile.read(Path.of(config), rules);
    }
    rules.readOptions(options);
    DebugLimits limits = DebugLimits.read(options);
    int taken = permissions(options, "take-child-perms");
    int unshared = permissions(options, "unshare-child-perms");
    Set<EdgeRole> roles = EnumSet.of(EdgeRole.FILTERED, EdgeRole.PRIMARY);
    Edge image =
        opening.childOrNull(
            "image", imageName, true, roles, Permission.CONSISTENT_READ, Permission.ALL);
    if (image == null) {
      throw new BlockException(Errno.EINVAL, "A block device must be specified for \"image\"");
    }
    limits.check(image.child().limits().requestAlignmentBytes());
    RuleEngine engine = new RuleEngine(rules);
    boolean plain = options.flat().keySet().stream().noneMatch(BlkdebugType::isBeyondName);
    BlkdebugDriver driver =
        new BlkdebugDriver(
            image, engine, limits, taken, unshared, child -> plain ? plainName(config, child) : "");
    engine.announced(DebugEvent.NONE);
    return driver;
  }

  private static boolean isBeyondName(String option) {
    for (String each : BEYOND_NAME) {
      if (each.equals(option) || (each.endsWith(".") && option.startsWith(each))) {
        return true;
      }
    }
    return false;
  }

  private static String plainName(@org.jspecify.annotations.Nullable String config, Edge image) {
    String below = FileNames.exactOrEmpty(image.child());
    return below.isEmpty() ? "" : PREFIX + (config == null ? "" : config) + ":" + below;
  }

  private static int permissions(OptionReader options, String name) throws OptionException {
    int bits = Permission.NONE;
    for (String each : options.strings(name)) {
      int index = PERMISSION_NAMES.indexOf(each);
      if (index < 0) {
        throw new OptionException("Parameter 'null' does not accept value '" + each + "'");
      }
      bits |= 1 << index;
    }
    return bits;
  }
}
