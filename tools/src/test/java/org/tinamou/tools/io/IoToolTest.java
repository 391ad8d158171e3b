package org.tinamou.tools.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;

/** What holds without a reference to compare with. */
class IoToolTest {
  @TempDir Path directory;

  @Test
  void promptsUnderTheNameItWasCalledBy() {
    assertEquals("my-io> ", ToolRun.run(new IoTool(), "my-io", "", "--").out());
  }

  @Test
  void manyRequestsAreUnderWayAtATime() throws Exception {
    String image = Files.write(directory.resolve("x"), new byte[1 << 20]).toString();
    StringBuilder input = new StringBuilder();
    for (int index = 0; index < 200; index++) {
      input.append("aio_write -q -P ").append(index).append(' ').append(index * 4096L + 7);
      input.append(" 4096\n");
    }
    input.append("aio_flush\n");
    for (int index = 0; index < 200; index++) {
      input.append("read -q -P ").append(index).append(' ').append(index * 4096L + 7);
      input.append(" 4096\n");
    }
    for (String cache : new String[] {"writeback", "none"}) {
      ToolRun run =
          ToolRun.run(new IoTool(), "x", input.toString(), "-f", "raw", "-t", cache, image);
      assertEquals("x> ".repeat(402), run.out());
      assertEquals(0, run.exitCode());
    }
  }

  @Test
  void changesToASnapshotAreLost() throws Exception {
    Path image = Files.write(directory.resolve("x"), new byte[200_192]);
    ToolRun run =
        ToolRun.run(
            new IoTool(),
            "x",
            "",
            "-f",
            "raw",
            "-s",
            image.toString(),
            "-c",
            "write -q -P 7 65000 70000",
            "-c",
            "read -q -P 7 65000 70000",
            "-c",
            "read -q -P 0 0 65000",
            "-c",
            "read -q -P 0 135000 65192");
    assertEquals("", run.out() + run.err());
    assertEquals(0, run.exitCode());
    assertArrayEquals(new byte[200_192], Files.readAllBytes(image));
  }

  @Test
  void everyCommandHasHelp() {
    for (IoCommand command : IoCommand.ALL) {
      ToolRun run = ToolRun.io("-c", "help " + command.name());
      assertEquals(0, run.exitCode());
      assertTrue(run.out().startsWith(command.usage(command.name()) + "\n"));
    }
  }
}
