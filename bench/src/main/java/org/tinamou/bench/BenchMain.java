package org.tinamou.bench;

import java.util.Arrays;

/** The command line of the benchmarks: one program by its name, or JMH with a pattern. */
public final class BenchMain {
  private BenchMain() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length > 0 && arguments[0].equals("ring")) {
      RingVersusLoop.main(Arrays.copyOfRange(arguments, 1, arguments.length));
    } else if (arguments.length > 0 && arguments[0].equals("startup")) {
      StartupTimes.main(Arrays.copyOfRange(arguments, 1, arguments.length));
    } else {
      org.openjdk.jmh.Main.main(arguments);
    }
  }
}
