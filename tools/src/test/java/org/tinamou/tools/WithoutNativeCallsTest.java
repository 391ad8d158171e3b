package org.tinamou.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.poller.Pollers;

/** The tools where the host offers neither io_uring nor epoll. */
class WithoutNativeCallsTest {
  @TempDir Path directory;
  private @Nullable String before;

  @BeforeEach
  void forbidNativeCalls() {
    before = System.setProperty(Pollers.SWITCH, "nio");
  }

  @AfterEach
  void restore() {
    if (before == null) {
      System.clearProperty(Pollers.SWITCH);
    } else {
      System.setProperty(Pollers.SWITCH, before);
    }
  }

  private String at(String name) {
    return directory.resolve(name).toString();
  }

  private static String succeed(ToolRun run) {
    assertEquals("", run.err());
    assertEquals(0, run.exitCode(), run::out);
    return run.out();
  }

  @Test
  void imagesAreMadeFilledCopiedComparedAndReadBack() throws Exception {
    String a = at("a.raw");
    String b = at("b.raw");
    succeed(ToolRun.img("create", "-q", "-f", "raw", a, "8M"));
    assertEquals(8 << 20, Files.size(Path.of(a)));
    succeed(
        ToolRun.io("-f", "raw", "-c", "write -P 0xa5 1M 2M", "-c", "aio_write -P 7 5000 512", a));
    succeed(
        ToolRun.io("-f", "raw", "-c", "write -z 2M 64k", "-c", "discard 0 4k", "-c", "flush", a));
    succeed(ToolRun.img("convert", "-f", "raw", "-O", "raw", a, b));
    assertEquals(
        "Images are identical.\n", succeed(ToolRun.img("compare", "-f", "raw", "-F", "raw", a, b)));
    succeed(ToolRun.io("-f", "raw", "-r", "-c", "read -P 0xa5 1M 1M", "-c", "read -P 0 2M 64k", b));
    assertEquals(-1, Files.mismatch(Path.of(a), Path.of(b)));
  }

  @Test
  void imagesOfAFormatAreReadAndWritten() {
    String a = at("a.qcow2");
    succeed(ToolRun.img("create", "-q", "-f", "qcow2", a, "8M"));
    succeed(ToolRun.io("-c", "write -P 3 64k 200k", a));
    succeed(ToolRun.img("convert", "-O", "raw", a, at("b.raw")));
    assertEquals("Images are identical.\n", succeed(ToolRun.img("compare", a, at("b.raw"))));
    assertTrue(succeed(ToolRun.img("info", a)).contains("disk size: unavailable\n"));
  }

  @Test
  void theSizeIsChanged() throws Exception {
    String a = at("a.raw");
    succeed(ToolRun.img("create", "-q", "-f", "raw", a, "1M"));
    succeed(ToolRun.img("resize", "-q", "-f", "raw", a, "3M"));
    assertEquals(3 << 20, Files.size(Path.of(a)));
    succeed(ToolRun.img("resize", "-q", "-f", "raw", "--shrink", a, "512k"));
    assertEquals(512 << 10, Files.size(Path.of(a)));
  }

  @Test
  void anImageIsReopenedWhileItIsInUse() throws Exception {
    String a = at("a.raw");
    succeed(ToolRun.img("create", "-q", "-f", "raw", a, "1M"));
    succeed(
        ToolRun.io(
            "-f",
            "raw",
            "-r",
            "-c",
            "reopen -w",
            "-c",
            "write -q -P 9 0 4k",
            "-c",
            "reopen -r",
            a));
    assertEquals(9, Files.readAllBytes(Path.of(a))[4095]);
  }

  @Test
  void mistakesAreToldAsEverywhere() {
    String none = at("none");
    assertEquals(
        "tinamou-img: Could not open '"
            + none
            + "': Could not open '"
            + none
            + "': No such file or directory\n",
        ToolRun.img("map", "-f", "raw", none).err());
    String folder = directory.toString();
    assertTrue(
        ToolRun.io("-f", "raw", "-r", "-c", "length", folder).err().contains("regular file"));
  }
}
