package org.tinamou.tools.img;

import java.util.List;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.ProbeWarning;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img snapshot}: lists, makes, applies and deletes the snapshots inside of an image. */
final class SnapshotCommand implements ImgCommand {
  private static final String LETTERS = ":la:c:d:hqU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'));

  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final int NANOS_PER_MICRO = 1000;

  private final ImageChoice choice = new ImageChoice();
  private char action;
  private String snapshot = "";

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "snapshot", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'l', 'a', 'c', 'd' -> {
          if (action != 0) {
            throw ImgOptions.usage(console, "Cannot mix '-l', '-a', '-c', '-d'");
          }
          action = (char) code;
          snapshot = code == 'l' ? "" : scan.value();
        }
        case 'q' -> {
          // There is nothing to keep quiet about.
        }
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    String name = operands.getFirst();
    OpenRequest request =
        action == 'l'
            ? choice.reading(name, CacheMode.WRITEBACK)
            : choice.writing(name, CacheMode.WRITEBACK);
    return LoopRunner.run(
        "snapshot",
        context -> {
          OpenImage image = choice.open(context, console, request);
          try {
            return act(console, image, context.clocks());
          } finally {
            image.close();
          }
        });
  }

  private int act(Console console, OpenImage image, Clocks clocks) throws ToolException {
    InternalSnapshots snapshots = image.internalSnapshots();
    if (snapshots == null) {
      return refuse(console, image);
    }
    switch (action) {
      case 'c' -> {
        long now = clocks.nanos(ClockType.HOST);
        try {
          // As exact as the reference tells the time.
          int nanos = (int) (now % NANOS_PER_SECOND) / NANOS_PER_MICRO * NANOS_PER_MICRO;
          snapshots.createSnapshot(snapshot, now / NANOS_PER_SECOND, nanos, 0);
        } catch (BlockException e) {
          throw refuseCreating(e.errno());
        }
      }
      case 'a' -> {
        InternalSnapshots.Snapshot found = snapshots.findByIdOrName(snapshot);
        try {
          if (found == null) {
            throw BlockException.of(Errno.ENOENT, "Failed to load snapshot");
          }
          snapshots.applySnapshot(found.id());
        } catch (BlockException e) {
          String message = String.valueOf(e.getMessage());
          if (message.startsWith("Snapshot L1 table")) {
            console.error(message);
            throw new ToolException(
                "Could not apply snapshot '%s': Failed to load snapshot: %s"
                    .formatted(snapshot, e.errno().message()));
          }
          throw ToolException.of("Could not apply snapshot '" + snapshot + "': ", e);
        }
      }
      case 'd' -> {
        InternalSnapshots.Snapshot found = snapshots.find(null, snapshot);
        if (found == null) {
          throw new ToolException(
              "Could not delete snapshot '" + snapshot + "': snapshot not found");
        }
        try {
          snapshots.deleteSnapshot(found.id());
        } catch (BlockException e) {
          throw ToolException.of("Could not delete snapshot '" + snapshot + "': ", e);
        }
      }
      case 'l' -> SnapshotText.print(console, snapshots.snapshots());
      default -> {
        // No action does nothing.
      }
    }
    return 0;
  }

  private ToolException refuseCreating(Errno errno) {
    return new ToolException(
        "Could not create snapshot '%s': -%d (%s)"
            .formatted(snapshot, errno.number(), errno.message()));
  }

  private int refuse(Console console, OpenImage image) throws ToolException {
    switch (action) {
      case 'c' -> throw refuseCreating(Errno.EOPNOTSUPP);
      case 'a' -> {
        if (image.isGuessedRaw()) {
          // The reference looks at the image again, to go back to the snapshot of what is below.
          ProbeWarning.print(console, image.name());
        }
        throw new ToolException(
            "Could not apply snapshot '" + snapshot + "': Block driver does not support snapshots");
      }
      case 'd' ->
          throw new ToolException(
              "Could not delete snapshot '" + snapshot + "': snapshot not found");
      default -> {
        // A list without a snapshot is empty, and no action does nothing.
        return 0;
      }
    }
  }
}
