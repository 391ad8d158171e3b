package org.tinamou.tools.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;

/** What of a qcow2 image the tool shows to one client, after which it ends. */
final class NbdToolTest {
  @TempDir Path folder;

  private String image = "";
  private String socket = "";

  /** Ones, then a snapshot and a bitmap, then twos in the second half. */
  @BeforeEach
  void makeImage() {
    image = folder.resolve("image.qcow2").toString();
    socket = folder.resolve("socket").toString();
    good(ToolRun.img("create", "-q", "-f", "qcow2", image, "256k"));
    good(ToolRun.io("-c", "write -P 1 0 256k", image));
    good(ToolRun.img("snapshot", "-c", "before", image));
    good(ToolRun.img("bitmap", "--add", image, "changed"));
    good(ToolRun.io("-c", "write -P 2 128k 128k", image));
  }

  private static void good(ToolRun run) {
    assertEquals(0, run.exitCode(), run.out() + run.err());
  }

  /** Runs the tool with some options beside a client's program, whose output it returns. */
  private String shown(List<String> options, String... client) throws Exception {
    Programs.require(client[0]);
    List<String> words = new ArrayList<>(List.of("-k", socket));
    words.addAll(options);
    words.add(image);
    CompletableFuture<ToolRun> server =
        CompletableFuture.supplyAsync(
            () -> ToolRun.run(new NbdTool(), "qemu-nbd", "", words.toArray(new String[0])));
    Programs.Outcome outcome = Programs.run(List.of(client));
    while (outcome.exitCode() != 0 && !server.isDone()) {
      outcome = Programs.run(List.of(client)); // the server is not there yet
    }
    good(server.get(60, TimeUnit.SECONDS));
    return outcome.output();
  }

  private String uri() {
    return "nbd+unix:///?socket=" + socket;
  }

  @Test
  void aBitmapTellsWhatHasChanged() throws Exception {
    String map =
        shown(List.of("-r", "-B", "changed"), "nbdinfo", "--map=qemu:dirty-bitmap:changed", uri());
    List<String> lines = map.lines().map(line -> line.strip().replaceAll(" +", " ")).toList();
    assertEquals(2, lines.size(), map);
    assertTrue(lines.get(0).startsWith("0 131072 0"), map);
    assertTrue(lines.get(1).startsWith("131072 131072 1"), map);
  }

  @Test
  void aSnapshotIsShownAsItWas() throws Exception {
    String read =
        shown(
            List.of("-l", "before"), "qemu-io", "-r", "-f", "raw", "-c", "read -P 1 0 256k", uri());
    assertTrue(read.contains("read 262144/262144 bytes at offset 0"), read);
  }

  @Test
  void aBitmapThatIsNotThereIsRefused() {
    ToolRun run = ToolRun.run(new NbdTool(), "qemu-nbd", "", "-k", socket, "-B", "other", image);
    assertEquals("qemu-nbd: Bitmap 'other' is not found\n", run.err());
    assertEquals(1, run.exitCode());
  }
}
