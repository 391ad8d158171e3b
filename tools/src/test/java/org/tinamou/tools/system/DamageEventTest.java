package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.nbd.Programs;

/** Damage that is met while an image is in use is an event, as the reference has it. */
final class DamageEventTest {
  private static final int REFCOUNT_BLOCK = 131_072;
  private static final int FIRST_LEVEL_TABLE = 196_608;

  @TempDir Path folder;

  private Path image() throws Exception {
    Path image = folder.resolve("disk.qcow2");
    Files.deleteIfExists(image);
    assertEquals(0, ToolRun.img("create", "-q", "-f", "qcow2", image.toString(), "1M").exitCode());
    return image;
  }

  private static void poke(Path image, long offset, byte[] bytes) throws Exception {
    try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes), offset);
    }
  }

  /** Replies and events may come in any order: the event waits for nobody. */
  private void compare(long offset, byte[] bytes, String readOnly, String command)
      throws Exception {
    Programs.require(MachineTalk.PROGRAM);
    List<String> words =
        List.of(
            "-drive",
            "if=none,node-name=drive,driver=qcow2,file.driver=file,file.filename="
                + image()
                + readOnly);
    String commands =
        "{'execute': 'qmp_capabilities'}{'execute': 'human-monitor-command', 'arguments':"
            + " {'command-line': 'qemu-io none0 \"%s\"'}}{'execute': 'quit'}".formatted(command);
    poke(folder.resolve("disk.qcow2"), offset, bytes);
    MachineTalk theirs = MachineTalk.reference(folder, words, commands);
    poke(image(), offset, bytes);
    MachineTalk ours = MachineTalk.ours(folder, words, commands);
    List<String> expected = theirs.lines().stream().sorted().toList();
    assertEquals(
        List.of(), MachineTalk.differences(expected, ours.lines().stream().sorted().toList()));
    assertTrue(expected.toString().contains("BLOCK_IMAGE_CORRUPTED"), expected::toString);
    assertEquals(theirs.out(), ours.out());
    assertEquals(theirs.err(), ours.err());
  }

  @Test
  void aWriteThatWouldDestroyATable() throws Exception {
    compare(REFCOUNT_BLOCK + 2, new byte[2], "", "write 0 64k");
  }

  @Test
  void aTableThatCannotBeOne() throws Exception {
    byte[] entry = {0, 0, 0, 0, 0x2a, 0x2a, 0x2a, 0x2a};
    compare(FIRST_LEVEL_TABLE, entry, ",read-only=on", "read 0 512");
  }
}
