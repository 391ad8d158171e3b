package org.tinamou.daemon.command;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.daemon.Daemon;
import org.tinamou.jobs.JobTransaction;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Several changes at one point in time: all of them, or none. */
final class TransactionCommand {
  private final Daemon daemon;
  private final BitmapCommands bitmaps;
  private final SnapshotCommands snapshots;
  private final BackupCommands backups;

  TransactionCommand(
      Daemon daemon, BitmapCommands bitmaps, SnapshotCommands snapshots, BackupCommands backups) {
    this.backups = backups;
    this.daemon = daemon;
    this.bitmaps = bitmaps;
    this.snapshots = snapshots;
  }

  void register(CommandList list) {
    list.action("transaction", this::run);
  }

  private void run(OptionReader arguments) throws OptionException, BlockException {
    OptionReader properties = arguments.objectOrNull("properties");
    boolean grouped =
        properties != null
            && "grouped"
                .equals(properties.wordOrNull("completion-mode", List.of("individual", "grouped")));
    JobTransaction together = grouped ? new JobTransaction() : null;
    List<TransactionStep> steps = new ArrayList<>();
    Set<BlockNode> touched = new LinkedHashSet<>();
    for (OptionReader action : arguments.objects("actions")) {
      String type = action.string("type");
      if (grouped && !isJob(type)) {
        throw new BlockException(
            Errno.EINVAL,
            "Action '"
                + type
                + "' does not support Transaction property completion-mode = grouped");
      }
      OptionReader data = action.object("data");
      steps.add(step(type, data, together));
      touch(data, touched);
    }
    // Nothing is written between the first change and the last.
    try (DrainedSection drained = daemon.graph().drain(touched, "transaction")) {
      run(steps);
    }
  }

  /** The nodes that a step names, as far as they are there. */
  private void touch(OptionReader data, Set<BlockNode> touched) throws OptionException {
    for (String option : List.of("node", "node-name", "device")) {
      String name = data.has(option) ? data.stringOrNull(option) : null;
      BlockNode node = name == null ? null : daemon.nodes().findOrNull(name);
      if (node != null) {
        touched.add(node);
      }
    }
  }

  private static boolean isJob(String type) {
    return BackupCommands.NAMES.contains(type);
  }

  private TransactionStep step(String type, OptionReader data, @Nullable JobTransaction together)
      throws OptionException {
    if (isJob(type)) {
      return backups.step(type, data, together);
    }
    if (type.startsWith("block-dirty-bitmap-")) {
      return bitmaps.step(type.substring("block-dirty-bitmap-".length()), data);
    }
    return switch (type) {
      case "abort" ->
          () -> {
            throw new BlockException(Errno.ECANCELED, "Transaction aborted using Abort action");
          };
      default -> snapshots.step(type, data);
    };
  }

  private static void run(List<TransactionStep> steps) throws BlockException {
    List<TransactionStep> begun = new ArrayList<>();
    boolean good = false;
    try {
      for (TransactionStep each : steps) {
        begun.addFirst(each);
        each.prepare();
      }
      good = true;
      steps.forEach(TransactionStep::commit);
    } finally {
      if (!good) {
        begun.forEach(TransactionStep::abort);
      }
      begun.forEach(TransactionStep::clean);
    }
  }
}
