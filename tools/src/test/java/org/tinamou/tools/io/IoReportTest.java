package org.tinamou.tools.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.tools.cli.Console;

class IoReportTest {
  private static String report(long nanos, long total, boolean machine) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, false, StandardCharsets.UTF_8);
    Console console = new Console("x", InputStream.nullInputStream(), stream, stream);
    IoReport.print(console, "wrote", nanos, 512, total, total, machine);
    stream.flush();
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void people() {
    assertEquals(
        "wrote 65536/65536 bytes at offset 512\n"
            + "64 KiB, 1 ops; 00.01 sec (4.883 MiB/sec and 78.1250 ops/sec)\n",
        report(12_800_000, 65536, false));
    assertEquals(
        "wrote 0/0 bytes at offset 512\n0 bytes, 1 ops; 00.50 sec (0 bytes/sec and 2.0000 ops/sec)\n",
        report(500_000_000, 0, false));
  }

  @ParameterizedTest
  @CsvSource({
    "61_000_000_000, 01:01.00",
    "3_600_010_000_000, 1:00:00.01",
    "1_000_000, 00.00 sec",
    "59_999_999_999, 59.99 sec"
  })
  void times(String nanos, String text) {
    String report = report(Long.parseLong(nanos.replace("_", "")), 1, false);
    assertEquals(text, report.substring(report.indexOf("ops; ") + 5, report.indexOf(" (")));
  }

  @Test
  void programs() {
    assertEquals("65536,1,0:00:00.01,5120000.000,78.125\n", report(12_800_000, 65536, true));
  }
}
