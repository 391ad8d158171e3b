package org.tinamou.tools.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Output without what differs from run to run, or may differ between the tools. */
final class Normalized {
  private static final Pattern SPEED = Pattern.compile("[0-9.:]+( sec)? \\([^()]*ops/sec\\)");
  private static final Pattern NUMBERS = Pattern.compile("^([0-9]+,1),0:[0-9:.,]+$");
  private static final Pattern VERSION = Pattern.compile("^(qemu-[a-z]+ version [0-9.]+) .*");

  private static final Pattern NODE_NAME = Pattern.compile("#block[0-9]+");
  private static final Pattern DISK_SIZE =
      Pattern.compile("^(disk size:| *\"actual-size\":) [^,]*(,?)$");
  private static final Pattern DATE =
      Pattern.compile("\\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\b");
  private static final Pattern DATE_MEMBER = Pattern.compile("(\"date-n?sec\":) [0-9]+");
  private static final Pattern RUN = Pattern.compile("^Run completed in [0-9]+\\.[0-9]{3} sec");

  private Normalized() {}

  static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    for (String line : text.replace('\r', '~').split("\n", -1)) {
      String shown = SPEED.matcher(line).replaceAll("TIME");
      shown = NUMBERS.matcher(shown).replaceAll("$1,TIME");
      shown = VERSION.matcher(shown).replaceAll("$1");
      shown = NODE_NAME.matcher(shown).replaceAll("#block");
      shown = DATE.matcher(shown).replaceAll("DATE");
      shown = DATE_MEMBER.matcher(shown).replaceAll("$1 TIME");
      shown = RUN.matcher(shown).replaceAll("Run completed in TIME sec");
      shown = DISK_SIZE.matcher(shown).replaceAll("$1 SIZE$2");
      lines.add(shown);
      // The words of the help are each tool's own.
      if (shown.startsWith("Usage: ") || shown.matches("qemu-[a-z]+ version [0-9.]+")) {
        break;
      }
    }
    return lines;
  }
}
