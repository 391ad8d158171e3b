package org.tinamou.daemon.command;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeReferences;
import org.tinamou.daemon.Daemon;
import org.tinamou.jobs.mirror.CopyMode;
import org.tinamou.jobs.mirror.MirrorJob;
import org.tinamou.jobs.mirror.MirrorSettings;
import org.tinamou.jobs.mirror.MirrorSync;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Mirrors: to a node, and to an image that is made or opened for it. */
final class MirrorCommands {
  private final Daemon daemon;

  MirrorCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.action("blockdev-mirror", this::toNode);
    list.action("drive-mirror", this::toImage);
    list.action("block-job-change", this::change);
  }

  @InCoroutine
  private void toNode(OptionReader arguments) throws OptionException, BlockException {
    BlockNode source = daemon.nodes().findRoot(arguments.string("device"));
    BlockNode target = daemon.nodes().find(arguments.string("target"));
    boolean zero = arguments.bool("target-is-zero", false);
    if (source != target) { // else there is a plainer word for it
      daemon.nodes().refuseBusy(source);
      daemon.nodes().refuseBusy(target);
    }
    create(arguments, source, target, sync(arguments, source), true, zero).start();
  }

  @InCoroutine
  private void toImage(OptionReader arguments) throws OptionException, BlockException {
    BlockNode source = daemon.nodes().findRoot(arguments.string("device"));
    try (NodeReferences kept = NodeReferences.take(source)) {
      toImage(arguments, source);
    }
  }

  @InCoroutine
  private void toImage(OptionReader arguments, BlockNode source)
      throws OptionException, BlockException {
    daemon.nodes().refuseBusy(source);
    MirrorSync sync = sync(arguments, source);
    String nodeName = arguments.stringOrNull("node-name");
    TargetImage image = new TargetImage(daemon, source, arguments);
    if (arguments.has("replaces") && nodeName == null) {
      throw new BlockException(
          Errno.EINVAL, "a node-name must be provided when replacing a named node of the graph");
    }
    BlockNode backing =
        switch (sync) {
          case FULL -> null;
          case TOP -> JobArguments.backing(source);
          case NONE -> source;
        };
    BlockNode target = image.open(backing, sync == MirrorSync.NONE, nodeName);
    try {
      boolean unmap = arguments.bool("unmap", true);
      boolean zero = sync == MirrorSync.FULL && image.isZero();
      MirrorJob job = create(arguments, source, target, sync, unmap, zero);
      if (image.isOverlayToCome(backing)) {
        job.beforeSwitch(image::openBacking);
      }
      job.start();
    } finally {
      daemon.graph().release(target); // the job holds it
    }
  }

  private static MirrorSync sync(OptionReader arguments, BlockNode source)
      throws OptionException, BlockException {
    String word = arguments.string("sync");
    return switch (word) {
      case "full" -> MirrorSync.FULL;
      case "top" -> JobArguments.backing(source) == null ? MirrorSync.FULL : MirrorSync.TOP;
      case "none" -> MirrorSync.NONE;
      default -> throw new BlockException(Errno.EINVAL, "Sync mode '" + word + "' not supported");
    };
  }

  @InCoroutine
  private MirrorJob create(
      OptionReader arguments,
      BlockNode source,
      BlockNode target,
      MirrorSync sync,
      boolean unmap,
      boolean targetIsZero)
      throws OptionException, BlockException {
    MirrorSettings settings =
        new MirrorSettings(
            sync,
            copyMode(arguments),
            arguments.uint32("granularity", 0),
            arguments.int64("buf-size", 0),
            unmap,
            targetIsZero,
            JobArguments.policy(arguments, "on-source-error"),
            JobArguments.policy(arguments, "on-target-error"),
            arguments.stringOrNull("filter-node-name"),
            arguments.stringOrNull("replaces"));
    checkReplaced(source, settings.replaces());
    return MirrorJob.create(
        daemon.jobs(), JobArguments.common(daemon, arguments, source), source, target, settings);
  }

  private static CopyMode copyMode(OptionReader arguments) throws OptionException {
    String word = arguments.stringOrNull("copy-mode");
    return word == null
        ? CopyMode.BACKGROUND
        : CopyMode.valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  /** What is replaced has to show what the source shows: the source, or what it filters. */
  private void checkReplaced(BlockNode source, @Nullable String replaces) throws BlockException {
    if (replaces == null) {
      return;
    }
    BlockNode replaced = daemon.nodes().get(replaces);
    if (replaced.lengthBytes() != source.lengthBytes()) {
      throw new BlockException(
          Errno.EINVAL, "cannot replace image with a mirror image of different size");
    }
    BlockNode at = source;
    while (at != replaced) {
      Edge below = Edge.below(at);
      if (below == null || !below.roles().contains(EdgeRole.FILTERED)) {
        throw new BlockException(
            Errno.EINVAL,
            ("Cannot replace '%s' by a node mirrored from '%s', because it cannot be guaranteed"
                    + " that doing so would not lead to an abrupt change of visible data")
                .formatted(replaces, source.name()));
      }
      at = below.child();
    }
  }

  @InCoroutine
  private void change(OptionReader arguments) throws OptionException, BlockException {
    if (daemon.jobs().getBlockJob(arguments.string("id")) instanceof MirrorJob job
        && arguments.string("type").equals(job.type().wireName())) {
      job.changeCopyMode(copyMode(arguments));
      return;
    }
    throw new BlockException(Errno.EINVAL, "Job type does not support change");
  }
}
