package org.tinamou.daemon.command;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.HeldDrives.Drive;
import org.tinamou.jobs.JobSettings;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** What the commands that start jobs have in common. */
final class JobArguments {
  private JobArguments() {}

  /** What every job is created with; its name is that of the source's drive unless it is given. */
  static JobSettings common(Daemon daemon, OptionReader arguments, BlockNode source)
      throws OptionException {
    String id = arguments.stringOrNull("job-id");
    return new JobSettings(
        id == null ? driveOf(daemon, source) : id,
        arguments.int64("speed", 0),
        arguments.bool("auto-finalize", true),
        arguments.bool("auto-dismiss", true),
        null);
  }

  private static String driveOf(Daemon daemon, BlockNode node) {
    for (Drive drive : daemon.drives().all()) {
      if (drive.backend().node() == node) {
        return drive.backend().name();
      }
    }
    return ""; // which is refused as a name
  }

  /** What shows through the node, or null. */
  static @Nullable BlockNode backing(BlockNode node) {
    Edge edge = NodeCommands.copiedFrom(node);
    return edge == null ? null : edge.child();
  }

  static ErrorPolicy policy(OptionReader arguments, String name) throws OptionException {
    String word = arguments.stringOrNull(name);
    return word == null ? ErrorPolicy.REPORT : ErrorPolicy.valueOf(word.toUpperCase(Locale.ROOT));
  }
}
