package org.tinamou.tools.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.tools.ToolRun;

/** What the tool says of mistakes, beside the reference. */
final class NbdMessagesTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-o abc IMAGE",
        "-o 128M -f raw IMAGE",
        "-e abc IMAGE",
        "-e -1 IMAGE",
        "-f foo IMAGE",
        "-l x -f raw IMAGE",
        "-l snapshot.x=1 IMAGE",
        "-B foo -f raw -k FOLDER/socket IMAGE",
        "--cache=bad IMAGE",
        "--aio=bad IMAGE",
        "--aio=native -f raw IMAGE",
        "--discard=bad IMAGE",
        "--detect-zeroes=bad IMAGE",
        "--detect-zeroes=unmap IMAGE",
        "-n --cache=none IMAGE",
        "--aio=threads --aio=threads IMAGE",
        "--discard=on --discard=on IMAGE",
        "-L IMAGE",
        "-L -x foo",
        "-L -k FOLDER/none",
        "-k relative -f raw IMAGE",
        "-k FOLDER/none/socket -f raw IMAGE",
        "-b 192.0.2.1 -f raw IMAGE",
        "a b",
        "",
        "--nope",
        "-e",
        "-f raw FOLDER/none",
        "-f raw -r FOLDER/none",
        "--image-opts -f raw driver=raw",
        "--image-opts driver=raw,file.filename=FOLDER/none",
      })
  void asTheReference(String line) throws Exception {
    Programs.require("qemu-nbd");
    Path image = folder.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(1 << 20);
    }
    List<String> words = new ArrayList<>();
    for (String word : line.isEmpty() ? new String[0] : line.split(" ")) {
      words.add(word.replace("IMAGE", image.toString()).replace("FOLDER", folder.toString()));
    }
    List<String> command = new ArrayList<>(List.of("qemu-nbd"));
    command.addAll(words);
    Programs.Outcome expected = Programs.run(command);
    ToolRun ours = ToolRun.run(new NbdTool(), "qemu-nbd", "", words.toArray(new String[0]));
    assertEquals(expected.output(), ours.out() + ours.err());
    assertEquals(expected.exitCode(), ours.exitCode());
  }

  @Test
  void whatIsMissingIsSaid() {
    for (String option : List.of("-c/dev/nbd0", "-d", "--selinux-label=x")) {
      ToolRun run = ToolRun.run(new NbdTool(), "tinamou-nbd", "", option, "image");
      assertEquals(1, run.exitCode());
      assertTrue(run.err().contains("not supported"), run.err());
    }
  }
}
