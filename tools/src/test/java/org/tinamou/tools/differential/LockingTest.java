package org.tinamou.tools.differential;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.block.Permission;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.drivers.protocol.file.FileDriver;
import org.tinamou.drivers.protocol.file.FileOptions;
import org.tinamou.tools.cli.LoopRunner;

/** A process of the reference and ours on one image: each respects what the other says of it. */
class LockingTest {
  private static final List<String> EVERYBODY =
      List.of(
          "io -f raw -c 'write -q 0 1k' @a.raw",
          "io -f raw -r -c length @a.raw",
          "img info @a.raw",
          "img info --output=json @a.raw",
          "img map @a.raw",
          "img map -U @a.raw",
          "img compare @a.raw @a.raw",
          "img convert @a.raw @o.raw",
          "img convert -U @a.raw @o.raw",
          "img convert @b.raw @a.raw",
          "img convert -n @b.raw @a.raw",
          "img create @a.raw 1M",
          "img resize -f raw @a.raw 1M",
          "img resize -f raw @a.raw +64k",
          "img dd if=@a.raw of=@o.raw",
          "img dd -U if=@a.raw of=@o.raw",
          "img dd if=@b.raw of=@a.raw",
          "img measure @a.raw",
          "img measure -U @a.raw",
          "img check @a.raw",
          "img check -f raw -r all @a.raw",
          "img snapshot -l @a.raw",
          "img compare -U @a.raw @a.raw",
          "io -f raw -r -U -c length @a.raw",
          "io -c 'open -o driver=raw @a.raw' -c 'open -r -o driver=raw @a.raw'");

  @TempDir Path directory;
  private Path image;

  @BeforeEach
  void makeImages() {
    if (!Peer.isInstalled()) {
      assertFalse(Boolean.getBoolean("tinamou.peers.required"), "qemu-utils is not installed");
      System.out.println(
          "LEFT OUT: " + EVERYBODY.size() + " comparisons with qemu-img (not installed)");
      assumeTrue(false, "qemu-utils is not installed");
    }
    image = directory.resolve("a.raw");
    ours("img create -q @a.raw 1M");
    ours("img create -q @b.raw 1M");
  }

  /** Who holds the image is said in a line of its own, which the reference does not have. */
  private static final String HOLDER = "It is in use by process [^\n]*\n";

  private Peer.Result ours(String line) {
    Peer.Result result = Peer.ours(CommandLine.parse(line, directory));
    return new Peer.Result(result.out(), result.err().replaceAll(HOLDER, ""), result.exitCode());
  }

  private void assertTreatedAlike(List<String> lines) throws IOException {
    for (String line : lines) {
      Peer.Result expected = Peer.reference(CommandLine.parse(line, directory), directory);
      assertEquals(expected, ours(line), line);
    }
  }

  /** An idle process of the reference that has the image open. */
  private Process hold(String... arguments) throws IOException {
    Process holder = new ProcessBuilder(arguments).redirectErrorStream(true).start();
    // The prompt comes once the image is open.
    InputStream out = holder.getInputStream();
    StringBuilder seen = new StringBuilder();
    while (seen.indexOf("qemu-io> ") < 0) {
      int next = out.read();
      assertFalse(next < 0, () -> "the holder ended: " + seen);
      seen.append((char) next);
    }
    return holder;
  }

  private Process holdWriter() throws IOException {
    return hold("qemu-io", "-f", "raw", image.toString());
  }

  private Process holdUnsharing(String permission) throws IOException {
    return hold(
        "qemu-io",
        "-r",
        "--image-opts",
        "driver=blkdebug,unshare-child-perms.0="
            + permission
            + ",image.driver=file,image.filename="
            + image);
  }

  @Test
  void theReferenceWrites() throws Exception {
    Process holder = holdWriter();
    try {
      assertEquals(
          "qemu-img: Could not open '"
              + image
              + "': Failed to get shared \"write\" lock\nIs another process using the image ["
              + image
              + "]?\n",
          ours("img convert @a.raw @o.raw").err());
      assertTreatedAlike(EVERYBODY);
    } finally {
      holder.destroyForcibly().waitFor();
    }
  }

  @Test
  void theReferenceSharesNothing() throws Exception {
    for (String permission : List.of("write", "resize", "consistent-read")) {
      Process holder = holdUnsharing(permission);
      try {
        assertTreatedAlike(EVERYBODY);
      } finally {
        holder.destroyForcibly().waitFor();
      }
    }
  }

  /** {@code info} takes no locks and looks for those of others in the kernel's table. */
  @Test
  void infoSeesWhoUsesAnImageOfAFormat() throws Exception {
    ours("img create -q -f qcow2 @a.qcow2 1M");
    ours("img create -q -f qcow2 -b a.qcow2 -F qcow2 @b.qcow2");
    List<String> lines =
        List.of(
            "img info @a.qcow2",
            "img info -f qcow2 @a.qcow2",
            "img info --output=json @a.qcow2",
            "img info -f raw @a.qcow2",
            "img info -U @a.qcow2",
            "img info @b.qcow2",
            "img info --backing-chain @b.qcow2",
            "img info --backing-chain -U @b.qcow2",
            "img info --image-opts driver=qcow2,file.filename=@a.qcow2");
    Process holder = hold("qemu-io", "-f", "qcow2", directory.resolve("a.qcow2").toString());
    try {
      assertEquals(
          "qemu-img: Could not open '@a.qcow2': Failed to get shared \"write\" lock\n"
                  .replace("@", directory + "/")
              + "Is another process using the image [@a.qcow2]?\n".replace("@", directory + "/"),
          ours("img info @a.qcow2").err());
      assertTreatedAlike(lines);
    } finally {
      holder.destroyForcibly().waitFor();
    }
    assertTreatedAlike(lines);
  }

  @Test
  void theHolderIsNamed() throws Exception {
    ours("img create -q -f qcow2 @a.qcow2 1M");
    Process holder = hold("qemu-io", "-f", "qcow2", directory.resolve("a.qcow2").toString());
    try {
      String process = "in use by process " + holder.pid() + " (qemu-io)";
      for (String command : List.of("img info", "img map", "img check", "io -f qcow2")) {
        Peer.Result refused = Peer.ours(CommandLine.parse(command + " @a.qcow2", directory));
        assertTrue(refused.err().contains(process + ". Let that end first"), refused.err());
      }
      for (String command : List.of("info", "map", "check", "measure -O raw")) {
        Peer.Result read =
            Peer.ours(CommandLine.parse("img " + command + " --shared @a.qcow2", directory));
        assertEquals(0, read.exitCode(), read.err());
        assertTrue(read.err().contains(process + ": this is what had reached"), read.err());
      }
    } finally {
      holder.destroyForcibly().waitFor();
    }
    Peer.Result quiet = Peer.ours(CommandLine.parse("img check --shared @a.qcow2", directory));
    assertEquals("", quiet.err());
  }

  @Test
  void aKilledHolderHoldsNothing() throws Exception {
    Process holder = holdUnsharing("write");
    assertEquals(
        "qemu-io: can't open device "
            + image
            + ": Failed to get \"write\" lock\nIs another process using the image ["
            + image
            + "]?\n",
        ours("io -f raw @a.raw").err());
    holder.destroyForcibly().waitFor();
    assertEquals(0, ours("io -f raw -c 'write -q 0 1k' @a.raw").exitCode());
  }

  @Test
  void weShareNothing() throws Exception {
    CommandLine write = CommandLine.parse("io -f raw -c 'write -q 0 1k' @a.raw", directory);
    CommandLine convert = CommandLine.parse("img convert @a.raw @o.raw", directory);
    LoopRunner.run(
        "test",
        context -> {
          FileDriver reader =
              FileDriver.open(
                  context,
                  image,
                  "a.raw",
                  FileOptions.reading(CacheMode.WRITEBACK).unsharing(Permission.WRITE));
          Peer.Result refused = context.callBlocking(() -> Peer.reference(write, directory));
          assertEquals(
              "qemu-io: can't open device "
                  + image
                  + ": Failed to get \"write\" lock\nIs another process using the image ["
                  + image
                  + "]?\n",
              refused.err());
          reader.close();
          FileDriver writer =
              FileDriver.open(context, image, "a.raw", FileOptions.writing(CacheMode.WRITEBACK));
          Peer.Result source = context.callBlocking(() -> Peer.reference(convert, directory));
          assertEquals(
              "qemu-img: Could not open '"
                  + image
                  + "': Failed to get shared \"write\" lock\nIs another process using the image ["
                  + image
                  + "]?\n",
              source.err());
          writer.close();
          assertEquals(
              0, context.callBlocking(() -> Peer.reference(convert, directory)).exitCode());
          return 0;
        });
  }
}
