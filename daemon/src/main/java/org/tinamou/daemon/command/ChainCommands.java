package org.tinamou.daemon.command;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.open.BackingName;
import org.tinamou.block.open.FileNames;
import org.tinamou.daemon.Daemon;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.chain.CommitJob;
import org.tinamou.jobs.chain.CommitSettings;
import org.tinamou.jobs.chain.ImageChain;
import org.tinamou.jobs.chain.StreamJob;
import org.tinamou.jobs.chain.StreamSettings;
import org.tinamou.jobs.mirror.ActiveCommitJob;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Jobs that shorten chains: commit, downwards, and stream, upwards. */
final class ChainCommands {
  private final Daemon daemon;

  ChainCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.action("block-commit", this::commit);
    list.action("block-stream", this::stream);
  }

  // -------------------------------------------------------------------------------------- commit

  @InCoroutine
  private void commit(OptionReader arguments) throws OptionException, BlockException {
    String device = arguments.string("device");
    if (daemon.nodes().findOrNull(device) == null) {
      throw new BlockException(ErrorClass.DEVICE_NOT_FOUND, "Device '" + device + "' not found");
    }
    BlockNode active = daemon.nodes().findRoot(device);
    daemon.jobs().checkNotBlocked(active);
    BlockNode top = top(arguments, active);
    BlockNode base = baseOfCommit(arguments, top);
    for (BlockNode each : ImageChain.above(top, ImageChain.below(base))) {
      daemon.jobs().checkNotBlocked(each);
    }
    if (top == base) {
      throw new BlockException(Errno.EINVAL, "cannot commit an image into itself");
    }
    String backingName = arguments.stringOrNull("backing-file");
    boolean masks = arguments.bool("backing-mask-protocol", false);
    String filter = arguments.stringOrNull("filter-node-name");
    ErrorPolicy onError = JobArguments.policy(arguments, "on-error");
    JobSettings common = JobArguments.common(daemon, arguments, active);
    if (top == active) {
      if (backingName != null) {
        throw new BlockException(
            Errno.EINVAL, "'backing-file' specified, but 'top' is the active layer");
      }
      ActiveCommitJob.create(
              daemon.jobs(), common, active, base, onError, filter, daemon.writableImages())
          .start();
      return;
    }
    BlockNode overlay = ImageChain.overlayOf(active, top);
    if (overlay != null) {
      daemon.jobs().checkNotBlocked(overlay);
    }
    CommitSettings settings = new CommitSettings(onError, filter, backingName, masks);
    CommitJob.create(daemon.jobs(), common, active, top, base, settings, daemon.writableImages())
        .start();
  }

  private BlockNode top(OptionReader arguments, BlockNode active)
      throws OptionException, BlockException {
    String nodeName = arguments.stringOrNull("top-node");
    String name = arguments.stringOrNull("top");
    if (nodeName != null && name != null) {
      throw new BlockException(Errno.EINVAL, "'top-node' and 'top' are mutually exclusive");
    }
    if (nodeName != null) {
      return inChain(active, nodeName);
    }
    if (name == null || FileNames.of(active).equals(name)) {
      return active;
    }
    BlockNode top = named(active, name);
    if (top == null) {
      throw new BlockException(Errno.ENOENT, "Top image file " + name + " not found");
    }
    return top;
  }

  private BlockNode baseOfCommit(OptionReader arguments, BlockNode top)
      throws OptionException, BlockException {
    String nodeName = arguments.stringOrNull("base-node");
    String name = arguments.stringOrNull("base");
    if (nodeName != null && name != null) {
      throw new BlockException(Errno.EINVAL, "'base-node' and 'base' are mutually exclusive");
    }
    if (nodeName != null) {
      return inChain(top, nodeName);
    }
    return name == null ? ImageChain.bottom(top) : namedBase(top, name);
  }

  private BlockNode inChain(BlockNode top, String nodeName) throws BlockException {
    BlockNode node = daemon.nodes().find(null, nodeName);
    if (!ImageChain.contains(top, node)) {
      throw new BlockException(
          Errno.EINVAL, "'" + nodeName + "' is not in this backing file chain");
    }
    return node;
  }

  // -------------------------------------------------------------------------------------- stream

  @InCoroutine
  private void stream(OptionReader arguments) throws OptionException, BlockException {
    String name = arguments.stringOrNull("base");
    String nodeName = arguments.stringOrNull("base-node");
    String bottomName = arguments.stringOrNull("bottom");
    refuseBoth("base", name, "base-node", nodeName);
    refuseBoth("base", name, "bottom", bottomName);
    refuseBoth("bottom", bottomName, "base-node", nodeName);
    BlockNode target = daemon.nodes().find(arguments.string("device"));
    BlockNode base = name != null ? namedBase(target, name) : null;
    if (nodeName != null) {
      base = daemon.nodes().find(null, nodeName);
      if (base == target || !ImageChain.contains(target, base)) {
        throw new BlockException(
            Errno.EINVAL,
            "Node '%s' is not a backing image of '%s'".formatted(nodeName, target.name()));
      }
    }
    BlockNode bottom = bottomName == null ? null : bottom(target, bottomName);
    BlockNode end = bottom == null ? base : ImageChain.below(bottom);
    for (BlockNode each : ImageChain.above(target, end)) {
      daemon.jobs().checkNotBlocked(each);
    }
    String backingName = arguments.stringOrNull("backing-file");
    if (backingName != null && base == null) {
      throw new BlockException(
          Errno.EINVAL, "backing file specified, but streaming the entire chain");
    }
    StreamSettings settings =
        new StreamSettings(
            JobArguments.policy(arguments, "on-error"),
            arguments.stringOrNull("filter-node-name"),
            backingName,
            arguments.bool("backing-mask-protocol", false));
    JobSettings common = JobArguments.common(daemon, arguments, target);
    StreamJob.create(daemon.jobs(), common, target, base, bottom, settings, daemon.writableImages())
        .start();
  }

  private static void refuseBoth(
      String first, @Nullable String firstValue, String second, @Nullable String secondValue)
      throws BlockException {
    if (firstValue != null && secondValue != null) {
      throw new BlockException(
          Errno.EINVAL,
          "'%s' and '%s' cannot be specified at the same time".formatted(first, second));
    }
  }

  private BlockNode bottom(BlockNode target, String nodeName) throws BlockException {
    BlockNode bottom = daemon.nodes().find(null, nodeName);
    if (ImageChain.isFilter(bottom)) {
      throw new BlockException(
          Errno.EINVAL,
          "Node '%s' is a filter, use a non-filter node as 'bottom'".formatted(nodeName));
    }
    if (!ImageChain.contains(target, bottom)) {
      throw new BlockException(
          Errno.EINVAL,
          "Node '%s' is not in a chain starting from '%s'".formatted(nodeName, target.name()));
    }
    return bottom;
  }

  // --------------------------------------------------------------------------------------- names

  private static BlockNode namedBase(BlockNode top, String name) throws BlockException {
    BlockNode base = named(top, name);
    if (base == null) {
      throw new BlockException(Errno.ENOENT, "Can't find '" + name + "' in the backing chain");
    }
    return base;
  }

  /** The image below a node that has a name, be it as seen from the image that stands on it. */
  private static @Nullable BlockNode named(BlockNode top, String name) throws BlockException {
    BlockNode image = ImageChain.unfiltered(top);
    for (BlockNode next = ImageChain.below(image); next != null; next = ImageChain.below(image)) {
      BlockNode below = ImageChain.unfiltered(next);
      String own = FileNames.of(below);
      if (own.equals(name) || isSameFile(FileNames.exactOrEmpty(image), name, own)) {
        return below;
      }
      image = below;
    }
    return null;
  }

  private static boolean isSameFile(String overlay, String name, String own) throws BlockException {
    if (overlay.isEmpty() || name.isEmpty() || own.startsWith("json:")) {
      return false;
    }
    String resolved = BackingName.resolve(overlay, name);
    return resolved.equals(own)
        || Path.of(resolved).toAbsolutePath().normalize().equals(Path.of(own).toAbsolutePath());
  }
}
