package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;

/** Commits whose end does not go well. */
class CommitCommandTest {
  @TempDir Path directory;

  private String name(String file) {
    return directory.resolve(file).toString();
  }

  private static void img(String... words) {
    ToolRun run = ToolRun.img(words);
    assertEquals(0, run.exitCode(), run.err());
  }

  @Test
  void anImageThatCannotBeEmptiedIsToldOf() throws Exception {
    img("create", "-q", "-f", "qcow2", name("base"), "1M");
    img("create", "-q", "-f", "qcow2", "-b", name("base"), "-F", "qcow2", name("top"));
    ToolRun.io("-f", "qcow2", "-c", "write -P 7 0 64k", name("top"));
    Path rules = directory.resolve("rules");
    Files.writeString(rules, "[inject-error]\nevent = \"empty_image_prepare\"\n");
    String broken = "blkdebug:" + rules + ":" + name("top");
    ToolRun run = ToolRun.img("commit", broken);
    assertEquals(1, run.exitCode(), run.out());
    String told = "tinamou-img: Failed to empty " + broken + ": Input/output error\n";
    assertTrue(run.err().endsWith(told), run.err());
    assertEquals("", run.out());
    // The base has it all, and the image still stands on it; what it held is lost space.
    ToolRun leaks = ToolRun.img("check", name("top"));
    assertEquals(3, leaks.exitCode(), leaks.out());
    assertTrue(leaks.out().contains("2 leaked clusters were found"), leaks.out());
    ToolRun same = ToolRun.img("compare", name("top"), name("base"));
    assertEquals("Images are identical.\n", same.out(), same.err());
    assertEquals("Image committed.\n", ToolRun.img("commit", name("top")).out());
    img("check", name("top"));
  }
}
