package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.cli.Console;

/** Conversions that go on where an earlier one stopped. */
class ResumeTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private String name(String file) {
    return directory.resolve(file).toString();
  }

  @BeforeEach
  void makeSource() throws Exception {
    byte[] bytes = new byte[8 * MIB];
    new Random(7).nextBytes(bytes);
    Arrays.fill(bytes, 3 * MIB, 5 * MIB, (byte) 0);
    Files.write(directory.resolve("source"), bytes);
  }

  private String[] words() {
    return new String[] {
      "convert", "--resume", "-f", "raw", "-O", "qcow2", name("source"), name("target")
    };
  }

  /** As if a conversion had been killed after 4 MiB, with something half written behind. */
  private void stopEarlier() throws Exception {
    String[] whole = {"convert", "-f", "raw", "-O", "qcow2", name("source"), name("target")};
    assertEquals(0, ToolRun.img(whole).exitCode());
    damage("4M");
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    Console console = new Console("img", InputStream.nullInputStream(), nowhere, nowhere);
    ConvertOptions options = new ConvertOptions(console);
    options.parse(List.of(words()).subList(1, words().length));
    ResumeRecord.of(List.of(name("source")), name("target"), options.wordsThatMatter())
        .reached(4L * MIB);
  }

  private void damage(String where) {
    String write = "write -P 17 " + where + " 3M";
    assertEquals(0, ToolRun.io("-f", "qcow2", "-c", write, name("target")).exitCode());
  }

  @Test
  void whatIsMissingIsCopied() throws Exception {
    stopEarlier();
    assertTrue(Files.exists(directory.resolve("target.resume")));
    ToolRun run = ToolRun.img(words());
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(0, ToolRun.img("compare", name("source"), name("target")).exitCode());
    assertEquals(0, ToolRun.img("check", name("target")).exitCode());
    assertFalse(Files.exists(directory.resolve("target.resume")));
  }

  @Test
  void nothingIsSkippedOnTrust() throws Exception {
    stopEarlier();
    damage("1M");
    ToolRun run = ToolRun.img(words());
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("differs from its source at offset 1048576:"), run.err());
  }

  @Test
  void aSourceThatWasChangedIsNotMixedWithWhatItWas() throws Exception {
    stopEarlier();
    Files.write(directory.resolve("source"), new byte[8 * MIB]);
    ToolRun run = ToolRun.img(words());
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("or a source has changed since"), run.err());
    Files.writeString(directory.resolve("target.resume"), "what?");
    assertTrue(ToolRun.img(words()).err().contains("is no record of a conversion"));
    Files.delete(directory.resolve("target.resume"));
    assertEquals(0, ToolRun.img(words()).exitCode());
    assertEquals(0, ToolRun.img("compare", name("source"), name("target")).exitCode());
  }
}
