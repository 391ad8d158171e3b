package org.tinamou.tools.differential;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys of volumes all of whose slots are taken: where they go, and what the reference says. */
final class FullKeySlotsTest {
  private static final String SECRETS =
      " --object secret,id=s0,data=abc --object secret,id=s1,data=def"
          + " --object secret,id=s2,data=ghi --object secret,id=s3,data=jkl ";
  private static final int SLOTS = 8;
  private static final int TRIES = 40;
  private static final int SECTOR_BYTES = 512;

  /** Fields of a header, in sectors. */
  private static final int PAYLOAD = 104;

  private static final int PLACE_OF_FIRST = 248;
  private static final int PLACE_OF_SECOND = 296;

  @TempDir Path root;
  private Path directory;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(Peer.isInstalled());
    directory = Files.createDirectory(root.resolve("dir"));
  }

  private Peer.Result run(String line, boolean reference) throws IOException {
    CommandLine command = CommandLine.parse(line, directory);
    return reference ? Peer.reference(command, root) : Peer.ours(command);
  }

  /** The reference fails at random where it cannot measure its own speed. */
  private void succeed(String line, boolean reference) throws IOException {
    Peer.Result result = run(line, reference);
    for (int i = 0; i < TRIES && result.err().contains("accurate CPU usage"); i++) {
      result = run(line, reference);
    }
    assertEquals(0, result.exitCode(), line + "\n" + result.out() + result.err());
  }

  /** A format, and how its options are called. */
  private record Kind(String driver, String prefix, String options) {
    String image(String secret) {
      return SECRETS
          + "--image-opts driver=%s,%skey-secret=%s,file.filename=@image "
              .formatted(driver, prefix, secret);
    }

    String active(int slot, String secret) {
      return "-o %1$sstate=active,%1$snew-secret=%2$s,%1$siter-time=10,%1$skeyslot=%3$d"
          .formatted(prefix, secret, slot);
    }
  }

  private void make(Kind kind) throws IOException {
    succeed(
        "img create -q -f %s%s-o %skey-secret=s0,%siter-time=10%s @image 64k"
            .formatted(kind.driver(), SECRETS, kind.prefix(), kind.prefix(), kind.options()),
        true);
    for (int slot = 1; slot < SLOTS; slot++) {
      succeed("img amend" + kind.image("s0") + kind.active(slot, "s0"), false);
    }
    succeed("io" + kind.image("s0") + "-c 'write -q -P 17 0 64k'", false);
  }

  private void replace(Kind kind, int slot, String with, String secret, boolean reference)
      throws IOException {
    succeed("img amend --force" + kind.image(with) + kind.active(slot, secret), reference);
  }

  private void assertOpens(Kind kind, String secret) throws IOException {
    succeed("io" + kind.image(secret) + "-c 'read -q -P 17 0 64k'", true);
    succeed("io" + kind.image(secret) + "-c 'read -q -P 17 0 64k'", false);
    if (kind.driver().equals("qcow2")) {
      succeed("img check -q" + kind.image(secret), true);
    }
  }

  private void assertOpensNot(Kind kind, String secret) throws IOException {
    String line = "io" + kind.image(secret) + "-c 'read -q 0 512'";
    assertNotEquals(0, run(line, true).exitCode());
    assertNotEquals(0, run(line, false).exitCode());
  }

  /** Where a slot's key is, as the reference tells it. */
  private long place(int slot) throws IOException {
    Matcher places =
        Pattern.compile("key offset: (\\d+)").matcher(run("img info @image", true).out());
    for (int i = 0; i < slot; i++) {
      assertTrue(places.find());
    }
    assertTrue(places.find());
    return Long.parseLong(places.group(1));
  }

  /** Moves the data away from the key slots, as other programs leave it. */
  private long addRoom() throws IOException {
    Path image = directory.resolve("image");
    ByteBuffer volume = ByteBuffer.wrap(Files.readAllBytes(image));
    int room = volume.getInt(PLACE_OF_SECOND) - volume.getInt(PLACE_OF_FIRST);
    int end = volume.getInt(PAYLOAD) * SECTOR_BYTES;
    ByteBuffer roomy = ByteBuffer.allocate(volume.capacity() + room * SECTOR_BYTES);
    roomy.put(0, volume, 0, end);
    roomy.put(end + room * SECTOR_BYTES, volume, end, volume.capacity() - end);
    roomy.putInt(PAYLOAD, volume.getInt(PAYLOAD) + room);
    Files.write(image, roomy.array());
    return end;
  }

  @Test
  void aKeyGoesWhereNothingIs() throws IOException {
    Kind kind = new Kind("luks", "", ",cipher-alg=aes-128");
    int slot = 6; // its record lies in two sectors
    make(kind);
    long room = addRoom();
    long before = place(slot);
    replace(kind, slot, "s0", "s1", false);
    assertEquals(room, place(slot));
    assertOpens(kind, "s1");
    replace(kind, slot, "s1", "s2", false);
    assertEquals(before, place(slot), "and back, where there is room now");
    assertOpensNot(kind, "s1");
    assertOpens(kind, "s2");
    replace(kind, slot, "s0", "s1", false);
    assertOpensNot(kind, "s2");
    // The reference goes on with it: in place, in neighbours, and empties it.
    replace(kind, slot, "s0", "s3", true);
    assertEquals(room, place(slot));
    assertOpensNot(kind, "s1");
    replace(kind, (slot + 1) % SLOTS, "s3", "s1", true);
    replace(kind, (slot + SLOTS - 1) % SLOTS, "s3", "s2", true);
    for (String secret : List.of("s1", "s2", "s3")) {
      assertOpens(kind, secret);
    }
    succeed("img amend" + kind.image("s0") + "-o state=inactive,old-secret=s3", true);
    assertOpensNot(kind, "s3");
    succeed("img amend" + kind.image("s0") + kind.active(slot, "s3"), false);
    assertOpens(kind, "s3");
  }

  /** Without room it is done in place. */
  @Test
  void inQcow2() throws IOException {
    String options = ",encrypt.format=luks,encrypt.cipher-alg=aes-128";
    Kind kind = new Kind("qcow2", "encrypt.", options);
    make(kind);
    long before = place(7);
    replace(kind, 7, "s0", "s1", false);
    assertOpens(kind, "s1");
    replace(kind, 7, "s1", "s2", false);
    assertEquals(before, place(7));
    assertOpensNot(kind, "s1");
    assertOpens(kind, "s2");
    assertOpens(kind, "s0");
  }
}
