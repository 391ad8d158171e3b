package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.CompactableImage;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.HumanSize;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img compact}: makes an image smaller in its own file. */
final class CompactCommand implements ImgCommand {
  private static final String LETTERS = ":hf:pq";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("format", 'f'),
          LongOption.withValue("output", ImgOptions.OUTPUT),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("dry-run", ImgOptions.DRY_RUN));

  private final ImageChoice choice = new ImageChoice();
  private @Nullable String output;
  private boolean dryRun;
  private boolean quiet;
  private boolean progressWanted;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "compact", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'p' -> progressWanted = true;
        case 'q' -> quiet = true;
        case ImgOptions.OUTPUT -> output = scan.value();
        case ImgOptions.DRY_RUN -> dryRun = true;
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    boolean json = OutputFormat.isJson(output);
    choice.check();
    String name = operands.getFirst();
    OpenRequest request =
        (dryRun
                ? choice.reading(name, CacheMode.WRITEBACK)
                : choice.writing(name, CacheMode.WRITEBACK).exclusive())
            .toBeChecked()
            .withoutBacking();
    Progress progress = new Progress(console, progressWanted && !quiet, 1);
    try {
      return LoopRunner.run(
          "compact",
          context -> {
            OpenImage image = choice.open(context, console, request);
            try {
              CompactableImage.Compaction done = compact(image, progress);
              progress.set(100);
              tell(console, done, json);
              return 0;
            } catch (BlockException e) {
              throw ToolException.of("", e);
            } finally {
              image.close();
            }
          });
    } finally {
      progress.end();
    }
  }

  private CompactableImage.Compaction compact(OpenImage image, Progress progress)
      throws BlockException, ToolException {
    CompactableImage compactable = image.compactable();
    if (compactable == null) {
      throw new ToolException(
          "Format driver '" + image.format() + "' does not support compacting in place");
    }
    PhaseWatch watch = new PhaseWatch(progress);
    return compactable.compact(dryRun, watch);
  }

  /** Passes on where each phase is. */
  private static final class PhaseWatch implements CompactableImage.Watcher {
    private final Progress progress;
    private String current = "";

    PhaseWatch(Progress progress) {
      this.progress = progress;
    }

    @Override
    public void progress(String phase, long done, long total) {
      if (!phase.equals(current)) {
        current = phase;
        progress.uncounted(phase);
      }
      progress.set(Math.min(99.9f, 100f * done / Math.max(1, total)));
    }
  }

  private void tell(Console console, CompactableImage.Compaction done, boolean json) {
    long freed = done.bytesBefore() - done.bytesAfter();
    if (json) {
      console.line(
          JsonWriter.pretty(
              new Json.Members()
                  .put("dry-run", dryRun)
                  .put("bytes-before", done.bytesBefore())
                  .put("bytes-after", done.bytesAfter())
                  .put("bytes-freed", freed)
                  .put("leaked-clusters", done.leakedClusters())
                  .put("zero-clusters", done.zeroClusters())
                  .put("moved-clusters", done.movedClusters())));
    } else if (!quiet) {
      console.line(
          (dryRun ? "Would free " : "Freed ")
              + HumanSize.threeDigits(freed)
              + " ("
              + freed
              + " bytes): "
              + done.leakedClusters()
              + " leaked clusters, "
              + done.zeroClusters()
              + " of zeroes"
              + (dryRun ? "" : ", " + done.movedClusters() + " moved")
              + "; the file "
              + (dryRun ? "would take " : "takes ")
              + done.bytesAfter()
              + " bytes");
    }
  }
}
