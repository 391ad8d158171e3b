package org.tinamou.tools.img;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.tinamou.block.CheckReport;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.MemberOrder;
import org.tinamou.tools.cli.Console;

/**
 * What a check found, as it is printed.
 *
 * @param leaksFixed what was repaired before this was found
 * @param corruptionsFixed what was repaired before this was found
 */
record CheckText(CheckReport report, long leaksFixed, long corruptionsFixed) {
  void print(Console console) {
    if (report.isClean()) {
      console.line("No errors were found on the image.");
    }
    if (report.corruptions() != 0) {
      console.line("\n" + report.corruptions() + " errors were found on the image.");
      console.line("Data may be corrupted, or further writes to the image may corrupt it.");
    }
    if (report.leaks() != 0) {
      console.line("\n" + report.leaks() + " leaked clusters were found on the image.");
      console.line("This means waste of disk space, but no harm to data.");
    }
    if (report.checkErrors() != 0) {
      console.line(
          "\n" + report.checkErrors() + " internal errors have occurred during the check.");
    }
    long total = report.totalClusters();
    long allocated = report.allocatedClusters();
    if (total != 0 && allocated != 0) {
      console.line(
          "%d/%d = %s allocated, %s fragmented, %s compressed clusters"
              .formatted(
                  allocated,
                  total,
                  percent(allocated, total),
                  percent(report.fragmentedClusters(), allocated),
                  percent(report.compressedClusters(), allocated)));
    }
    if (report.imageEndBytes() > 0) {
      console.line("Image end offset: " + report.imageEndBytes());
    }
  }

  private static String percent(long part, long whole) {
    // What lies in the middle goes to the even digit, as C prints it.
    return new BigDecimal(part * 100.0 / whole).setScale(2, RoundingMode.HALF_EVEN) + "%";
  }

  Json json(String fileName, String format) {
    Json.Members members = new Json.Members();
    members.put("filename", fileName);
    members.put("format", format);
    members.put("check-errors", report.checkErrors());
    put(members, "image-end-offset", report.imageEndBytes());
    put(members, "corruptions", report.corruptions());
    put(members, "leaks", report.leaks());
    put(members, "corruptions-fixed", corruptionsFixed);
    put(members, "leaks-fixed", leaksFixed);
    put(members, "total-clusters", report.totalClusters());
    put(members, "allocated-clusters", report.allocatedClusters());
    put(members, "fragmented-clusters", report.fragmentedClusters());
    put(members, "compressed-clusters", report.compressedClusters());
    return MemberOrder.sorted(members);
  }

  private static void put(Json.Members members, String name, long value) {
    if (value != 0) {
      members.put(name, value);
    }
  }
}
