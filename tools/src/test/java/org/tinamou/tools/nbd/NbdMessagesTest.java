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
import org.tinamou.drivers.protocol.nbd.KernelDevice;
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
        "-L -d",
        "-L -c /dev/null",
        "-d",
        "-d /dev/null IMAGE",
        "-d /dev/null",
        "-c /dev/null -f raw FOLDER/none",
        "-c /dev/null --tls-creds x -f raw IMAGE",
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
    List<String> words = words(line);
    List<String> command = new ArrayList<>(List.of("qemu-nbd"));
    command.addAll(words);
    Programs.Outcome expected = Programs.run(command);
    ToolRun ours = ToolRun.run(new NbdTool(), "qemu-nbd", "", words.toArray(new String[0]));
    assertEquals(expected.output(), ours.out() + ours.err());
    assertEquals(expected.exitCode(), ours.exitCode());
  }

  @Test
  void whatIsMissingIsSaid() {
    ToolRun run = ToolRun.run(new NbdTool(), "tinamou-nbd", "", "--selinux-label=x", "image");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("not supported"), run.err());
  }

  /** The reference's first line; who has no such devices is told why. */
  @ParameterizedTest
  @ValueSource(strings = {"-d FOLDER/nbd0", "-f raw -c FOLDER/nbd0 IMAGE"})
  void devicesThatAreNotThere(String line) throws Exception {
    Programs.require("qemu-nbd");
    List<String> words = words(line);
    List<String> command = new ArrayList<>(List.of("qemu-nbd"));
    command.addAll(words);
    Programs.Outcome expected = Programs.run(command);
    ToolRun ours = ToolRun.run(new NbdTool(), "qemu-nbd", "", words.toArray(new String[0]));
    assertEquals(expected.output().strip(), ours.err().lines().findFirst().orElse(""));
    assertEquals(expected.exitCode(), ours.exitCode());
    assertEquals(
        !KernelDevice.isClientLoaded(),
        ours.err().contains("The kernel's NBD client is not there"));
  }

  @Test
  void aDeviceIsNotGivenTheImage() throws Exception {
    ToolRun run =
        ToolRun.run(
            new NbdTool(), "nbd", "", words("-f raw -c /dev/null IMAGE").toArray(new String[0]));
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("use nbd-client"), run.err());
  }

  private List<String> words(String line) throws Exception {
    Path image = folder.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(1 << 20);
    }
    List<String> words = new ArrayList<>();
    for (String word : line.isEmpty() ? new String[0] : line.split(" ")) {
      words.add(word.replace("IMAGE", image.toString()).replace("FOLDER", folder.toString()));
    }
    return words;
  }
}
