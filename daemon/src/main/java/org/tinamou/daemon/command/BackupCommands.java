package org.tinamou.daemon.command;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeReferences;
import org.tinamou.daemon.Daemon;
import org.tinamou.jobs.BackupJob;
import org.tinamou.jobs.BackupParameters;
import org.tinamou.jobs.BackupParameters.BitmapMode;
import org.tinamou.jobs.BackupParameters.Sync;
import org.tinamou.jobs.JobTransaction;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Backups: to a node, and to an image that is made or opened for it. */
final class BackupCommands {
  static final List<String> NAMES = List.of("blockdev-backup", "drive-backup");

  private final Daemon daemon;

  BackupCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    for (String each : NAMES) {
      list.action(each, arguments -> step(each, arguments, null).prepareAndCommit());
    }
  }

  /**
   * The step of a transaction that does what one of the commands does.
   *
   * @param together with which it ends, or null for none
   */
  TransactionStep step(String type, OptionReader arguments, @Nullable JobTransaction together)
      throws OptionException {
    return new Step(type.equals("drive-backup"), arguments, together);
  }

  /** The job exists once it is prepared: from then on the old data are kept. */
  private final class Step implements TransactionStep {
    private final boolean toImage;
    private final OptionReader arguments;
    private final @Nullable JobTransaction together;
    private @Nullable BackupJob job;

    Step(boolean toImage, OptionReader arguments, @Nullable JobTransaction together) {
      this.toImage = toImage;
      this.arguments = arguments;
      this.together = together;
    }

    @Override
    public void prepare() throws BlockException {
      try {
        job = toImage ? createToImage() : createToNode();
      } catch (OptionException e) {
        throw new BlockException(Errno.EINVAL, e.getMessage());
      }
    }

    @Override
    public void commit() {
      BackupJob created = job;
      if (created != null) {
        created.start();
      }
    }

    @Override
    public void abort() {
      BackupJob created = job;
      if (created == null) {
        return;
      }
      try {
        created.cancel(true);
      } catch (BlockException ended) {
        return; // with another one of its group
      }
      created.await();
    }

    @InCoroutine
    private BackupJob createToNode() throws OptionException, BlockException {
      BlockNode source = daemon.nodes().find(arguments.string("device"));
      BlockNode target = daemon.nodes().find(arguments.string("target"));
      return create(source, target, sync());
    }

    @InCoroutine
    private BackupJob createToImage() throws OptionException, BlockException {
      BlockNode source = daemon.nodes().find(arguments.string("device"));
      try (NodeReferences kept = NodeReferences.take(source)) {
        return createToImage(source);
      }
    }

    @InCoroutine
    private BackupJob createToImage(BlockNode source) throws OptionException, BlockException {
      daemon.jobs().checkNotBlocked(source);
      TargetImage image = new TargetImage(daemon, source, arguments);
      Sync sync = sync();
      BlockNode backing =
          switch (sync) {
            case TOP -> JobArguments.backing(source);
            case NONE -> source;
            default -> null;
          };
      if (sync == Sync.TOP && backing == null) {
        sync = Sync.FULL;
      }
      BlockNode target = image.open(backing, sync == Sync.NONE, null);
      try {
        return create(source, target, sync);
      } finally {
        daemon.graph().release(target); // the job holds it
      }
    }

    private Sync sync() throws OptionException {
      return Sync.valueOf(arguments.string("sync").toUpperCase(Locale.ROOT));
    }

    @InCoroutine
    private BackupJob create(BlockNode source, BlockNode target, Sync sync)
        throws OptionException, BlockException {
      OptionReader given = arguments.objectOrNull("x-perf");
      OptionReader performance =
          given == null ? OptionReader.of(new Json.Members(), OptionReader.Style.TYPED) : given;
      String mode = arguments.stringOrNull("bitmap-mode");
      BackupParameters parameters =
          new BackupParameters(
              source,
              target,
              sync,
              arguments.stringOrNull("bitmap"),
              mode == null
                  ? null
                  : BitmapMode.valueOf(mode.toUpperCase(Locale.ROOT).replace('-', '_')),
              arguments.bool("compress", false),
              arguments.bool("discard-source", false),
              arguments.stringOrNull("filter-node-name"),
              JobArguments.policy(arguments, "on-source-error"),
              JobArguments.policy(arguments, "on-target-error"),
              false,
              performance.bool("use-copy-range", false),
              performance.int64("max-workers", 64),
              performance.int64("max-chunk", 0),
              performance.bytes("min-cluster-size", 0));
      return BackupJob.create(
          daemon.jobs(),
          daemon.graph(),
          JobArguments.common(daemon, arguments, source).in(together),
          parameters);
    }
  }
}
