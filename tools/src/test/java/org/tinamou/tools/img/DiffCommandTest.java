package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.tools.ToolRun;

/** Ranges in which images differ, and progress that is told to programs. */
class DiffCommandTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private String image(String name, int size, int... changed) throws Exception {
    byte[] bytes = new byte[size];
    for (int i = 0; i < Math.min(size, MIB); i++) {
      bytes[i] = (byte) (i / 512 + 1);
    }
    for (int at : changed) {
      bytes[at] ^= 0x55;
    }
    return Files.write(directory.resolve(name), bytes).toString();
  }

  @Test
  void rangesAreWholeSectorsAndNeighboursAreOne() throws Exception {
    String one = image("one", 4 * MIB);
    String other = image("other", 4 * MIB, 511, 512, 2000, 2 * MIB - 1, 2 * MIB, 4 * MIB - 1);
    String expected =
        """
        [{ "start": 0, "length": 1024},
        { "start": 1536, "length": 512},
        { "start": 2096640, "length": 1024},
        { "start": 4193792, "length": 512}]
        """;
    ToolRun run = ToolRun.img("diff", "--map=json", "-f", "raw", "-F", "raw", one, other);
    assertEquals(new ToolRun(1, expected, ""), run);
    String packed = directory.resolve("packed").toString();
    assertEquals(0, ToolRun.img("convert", "-O", "qcow2", "-c", other, packed).exitCode());
    assertEquals(run, ToolRun.img("diff", "--map=json", "-f", "raw", "-F", "qcow2", one, packed));
    ToolRun same = ToolRun.img("diff", other, packed);
    assertEquals(new ToolRun(0, "Images are identical.\n", ""), same);
    assertEquals("3072 bytes differ, in 4 ranges.\n", ToolRun.img("diff", one, packed).out());
    assertEquals("[]\n", ToolRun.img("diff", "--map=json", other, packed).out());
  }

  @Test
  void theRestOfALongerImageIsComparedWithZeroes() throws Exception {
    String one = image("one", 2 * MIB);
    String longer = image("longer", 3 * MIB);
    ToolRun same = ToolRun.img("diff", one, longer);
    assertEquals(0, same.exitCode());
    assertTrue(same.err().contains("Image size mismatch"), same.err());
    String different = image("different", 3 * MIB, 3 * MIB - 1);
    assertEquals(
        "[{ \"start\": 3145216, \"length\": 512}]\n",
        ToolRun.img("diff", "--map=json", different, one).out());
    assertEquals(2, ToolRun.img("diff", one, "/does/not/exist").exitCode());
  }

  @Test
  void programsAreToldOfProgressALineAtATime() throws Exception {
    String one = image("one", 4 * MIB);
    String target = directory.resolve("target").toString();
    ToolRun run = ToolRun.img("convert", "--progress=json", "-O", "qcow2", one, target);
    assertEquals(0, run.exitCode());
    assertEquals("", run.out());
    List<String> lines = run.err().lines().toList();
    assertTrue(lines.getFirst().startsWith("{\"phase\": \"starting\""), run.err());
    assertTrue(lines.contains("{\"phase\": \"looking for data\", \"percent\": 0}"), run.err());
    String copying = "{\"phase\": \"copying\", \"percent\": 0, \"done\": 0, \"total\": 4194304,";
    assertTrue(lines.stream().anyMatch(line -> line.startsWith(copying)), run.err());
    assertTrue(lines.getLast().startsWith("{\"phase\": \"done\", \"percent\": 100,"), run.err());
    ToolRun wrong = ToolRun.img("compare", "--progress=xml", one, one);
    assertTrue(wrong.err().contains("Invalid progress 'xml'"), wrong.err());
    ToolRun closed = ToolRun.img("compare", "--progress=json,fd=987", one, one);
    assertTrue(closed.err().contains("it is not open for writing"), closed.err());
  }

  /** Nothing to copy: an empty image, and one of holes. */
  @Test
  void nothingToDoIsDoneAtOnce() throws Exception {
    String last =
        "{\"phase\": \"done\", \"percent\": 100, \"done\": 0, \"total\": 0, \"remaining\": 0,"
            + " \"bytes-per-second\": 0, \"seconds-left\": 0}";
    for (int size : new int[] {0, 16 * MIB}) {
      String holes = directory.resolve("holes").toString();
      String target = directory.resolve("target").toString();
      try (RandomAccessFile file = new RandomAccessFile(holes, "rw")) {
        file.setLength(size);
      }
      String[] words = {"convert", "--progress=json", "-f", "raw", "-O", "qcow2", holes, target};
      ToolRun run = ToolRun.img(words);
      assertEquals(last, run.err().lines().toList().getLast(), run.err());
      Files.delete(directory.resolve("target"));
    }
  }
}
