package org.tinamou.tools.img;

import java.util.List;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.drivers.format.luks.LuksKeyChange;
import org.tinamou.drivers.format.qcow2.Qcow2CreationOptions;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;

/** {@code img amend}: changes the options of an image, which needs a format that has any. */
final class AmendCommand implements ImgCommand {
  private static final String LETTERS = ":ho:f:t:pq";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force", ImgOptions.FORCE));

  private final ImageChoice choice = new ImageChoice();
  private final ImageOptionList options = new ImageOptionList();
  private String cacheName = "writeback";
  private boolean progressWanted;
  private boolean quiet;
  private boolean force;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "amend", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'o' -> options.add(scan.value());
        case 't' -> cacheName = scan.value();
        case 'p' -> progressWanted = true;
        case 'q' -> quiet = true;
        case ImgOptions.FORCE -> force = true;
        default -> choice.take(code, scan);
      }
    }
    if (!options.isGiven()) {
      throw ImgOptions.usage(console, "Must specify options (-o)");
    }
    Progress progress = new Progress(console, progressWanted && !quiet, 1);
    List<String> operands = scan.operands();
    String name = operands.size() == 1 ? operands.getFirst() : null;
    try {
      if (choice.format != null && options.asksForHelp()) {
        if (choice.format.equals(ImageFormats.QCOW2)) {
          return help(console, choice.format, Qcow2CreationOptions.AMENDABLE);
        }
        if (choice.format.equals(ImageFormats.LUKS)) {
          return help(console, choice.format, LuksKeyChange.schema(""));
        }
        throw refuse(choice.format);
      }
      if (name == null) {
        throw new ToolException("Expecting one image file name");
      }
      CacheMode cache = CacheArgument.parse("cache option", cacheName);
      choice.check();
      return LoopRunner.run(
          "amend",
          context -> {
            OpenImage image = choice.open(context, console, choice.writing(name, cache));
            try {
              amend(image, progress);
            } finally {
              image.close();
            }
            progress.set(100);
            return 0;
          });
    } finally {
      progress.end();
    }
  }

  private void amend(OpenImage image, Progress progress) throws ToolException {
    AmendableImage amendable = image.amendable();
    if (amendable == null) {
      throw refuse(image.format());
    }
    progress.set(0);
    try {
      OptionValues known =
          amendable.creationOptions().and(amendable.amendOptions()).parse(options.text());
      for (String option : amendable.creationOptions().names()) {
        if (known.has(option) && !amendable.amendOptions().accepts(option)) {
          throw new OptionException(
              "Invalid parameter '" + option + "'",
              "This option is only supported for image creation");
        }
      }
      amendable.amend(amendable.amendOptions().parse(options.text()), force);
    } catch (OptionException e) {
      throw ToolException.of("", e);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
  }

  private static int help(Console console, String format, OptionSchema options) {
    console.line("Amend options for '" + format + "':");
    options.help().forEach(console::line);
    return 0;
  }

  private static ToolException refuse(String format) {
    if (!ImageFormats.isKnown(format)) {
      return new ToolException("Unknown file format '" + format + "'");
    }
    return new ToolException("Format driver '" + format + "' does not support option amendment");
  }
}
