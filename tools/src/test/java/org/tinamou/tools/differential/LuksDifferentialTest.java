package org.tinamou.tools.differential;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encrypted images and secrets: made by one side and used by the other, and refused alike. */
final class LuksDifferentialTest {
  private static final String SECRETS =
      " --object secret,id=s0,data=abc --object secret,id=s1,data=def ";
  private static final int TRIES = 40;

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

  private void succeed(String line, boolean reference) throws IOException {
    Peer.Result result = run(line, reference);
    assertEquals(0, result.exitCode(), line + "\n" + result.out() + result.err());
  }

  /** The reference fails at random where it cannot measure its own speed. */
  private void make(String line, boolean reference) throws IOException {
    Peer.Result result = run(line, reference);
    for (int i = 0; i < TRIES && result.err().contains("accurate CPU usage"); i++) {
      result = run(line, reference);
    }
    assertEquals(0, result.exitCode(), line + "\n" + result.err());
  }

  private static String transcript(Peer.Result result) {
    return result.exitCode()
        + "\n"
        + String.join("\n", Normalized.lines(result.out()))
        + "\n"
        + String.join("\n", Normalized.lines(result.err()));
  }

  private void assertAlike(String line) throws IOException {
    assertEquals(transcript(run(line, true)), transcript(run(line, false)), line);
  }

  /** One side makes and writes the image, the other reads and overwrites, the first reads. */
  private void exchange(String driver, String options, boolean referenceFirst) throws IOException {
    String prefix = driver.equals("qcow2") ? "encrypt." : "";
    make("img create -q -f " + driver + SECRETS + "-o " + options + " @image 8M", referenceFirst);
    String image =
        SECRETS
            + "--image-opts driver="
            + driver
            + ","
            + prefix
            + "key-secret=s0,file.filename=@image ";
    succeed(
        "io" + image + "-c 'write -q -P 17 65024 131072' -c 'write -q -P 34 3M 2M'",
        referenceFirst);
    succeed(
        "io"
            + image
            + "-c 'read -q -P 17 65024 131072' -c 'read -q -P 34 3M 2M' -c 'write -q -P 51 66k 1k'"
            + " -c 'write -q -P 68 130560 70144' -c 'write -q -P 85 6144512 512'",
        !referenceFirst);
    succeed(
        "io"
            + image
            + "-c 'read -q -P 17 65024 2560' -c 'read -q -P 51 66k 1k' -c 'read -q -P 68 130560"
            + " 70144' -c 'read -q -P 85 6144512 512'",
        referenceFirst);
    if (driver.equals("qcow2")) {
      succeed("io" + image + "-c 'read -q -P 0 6145024 1024' -c 'read -q -P 0 7M 64k'", true);
      succeed("img check -q" + image, true);
      succeed("img check -q" + image, false);
    }
    assertAlike("img info" + image);
    assertAlike("img info @image");
    assertAlike("img info --output=json @image");
    assertAlike("img map --output=json" + image);
  }

  @Test
  void luksBothWays() throws IOException {
    List<String> choices =
        List.of(
            "",
            ",cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=essiv,hash-alg=sha1",
            ",cipher-alg=serpent-256,hash-alg=ripemd160",
            ",cipher-alg=twofish-128,cipher-mode=ctr,hash-alg=sha512",
            ",cipher-alg=cast5-128,cipher-mode=cbc,ivgen-alg=plain,hash-alg=md5");
    for (int i = 0; i < choices.size(); i++) {
      exchange("luks", "key-secret=s0,iter-time=10" + choices.get(i), i % 2 == 0);
    }
  }

  @Test
  void qcow2BothWays() throws IOException {
    String luks = "encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=10";
    exchange("qcow2", luks, true);
    exchange("qcow2", luks + ",cluster_size=4k", false);
    exchange("qcow2", luks + ",extended_l2=on", false);
    exchange("qcow2", "encrypt.format=aes,encrypt.key-secret=s0", true);
    exchange("qcow2", "encrypt.format=aes,encrypt.key-secret=s0,cluster_size=512", false);
  }

  /** The reference knows no such headers; in front of the data it is one that it knows. */
  @Test
  void aHeaderInAFileOfItsOwn() throws IOException {
    succeed(
        "img create -q -f luks"
            + SECRETS
            + "-o key-secret=s0,iter-time=10,detached-header=on @header 4M",
        false);
    Files.write(directory.resolve("data"), new byte[4 << 20]);
    String image =
        SECRETS
            + "--image-opts driver=luks,key-secret=%s,file.filename=@data,header.filename=@header ";
    String write = " -c 'write -q -P 7 1M 64k' -c 'write -q -P 3 0 512'";
    String read = " -c 'read -q -P 7 1M 64k' -c 'read -q -P 3 0 512'";
    succeed("io" + image.formatted("s0") + write, false);
    succeed(
        "img amend -o state=active,new-secret=s1,keyslot=1,iter-time=10" + image.formatted("s0"),
        false);
    succeed("io" + image.formatted("s1") + read, false);
    Files.write(directory.resolve("joined"), joined("header", "data"));
    String whole = SECRETS + "--image-opts driver=luks,key-secret=s1,file.filename=@joined";
    succeed("io" + whole + read, true);
    succeed("io" + whole + read, false);
    succeed("img resize -q" + image.formatted("s1") + " 6M", false);
    assertEquals(6 << 20, Files.size(directory.resolve("data")));
    Peer.Result told = run("img info" + image.formatted("s1"), false);
    assertTrue(told.out().contains("detached header: true"), told.out());
  }

  /** A header that says that the data is behind it, and the data. */
  private byte[] joined(String header, String data) throws IOException {
    byte[] first = Files.readAllBytes(directory.resolve(header));
    byte[] second = Files.readAllBytes(directory.resolve(data));
    int sectors = Math.ceilDiv(first.length, 512);
    ByteBuffer all = ByteBuffer.allocate(sectors * 512 + second.length);
    all.put(first).putInt(104, sectors).put(sectors * 512, second);
    return all.array();
  }

  private void damage(Path from, int offset, String hex) throws IOException {
    byte[] bytes = Files.readAllBytes(from);
    byte[] patch = HexFormat.of().parseHex(hex);
    System.arraycopy(patch, 0, bytes, offset, patch.length);
    Files.write(directory.resolve("hostile"), bytes);
  }

  @Test
  void hostileHeaders() throws IOException {
    make("img create -q -f luks" + SECRETS + "-o key-secret=s0,iter-time=10 @whole 64k", true);
    String names = "41".repeat(32);
    String[][] damages = {
      {"0", "00"},
      {"6", "0002"},
      {"8", names},
      {"40", names},
      {"72", names},
      {"8", "786f7800"},
      {"40", "787878787800"},
      {"40", "7878782d706c61696e3634"},
      {"40", "6362632d65737369763a666f6f00"},
      {"40", "6362632d666f6f00"},
      {"40", "7874732d00"},
      {"72", "666f6f00"},
      {"104", "00000000"},
      {"104", "00000008"},
      {"104", "ffffffff"},
      {"104", "00000fc4"},
      {"108", "00000000"},
      {"108", "00000010"},
      {"108", "7fffffff"},
      {"164", "00000000"},
      {"164", "00000001"},
      {"208", "00000001"},
      {"208", "0000dead"},
      {"212", "00000000"},
      {"252", "ffffffff"},
      {"248", "00000000"},
      {"248", "7fffffff"},
      {"296", "00000009"},
      {"296", "000001ff"},
      {"256", "00000001"},
      {"300", "00000001"},
      {"168", "41".repeat(40)}
    };
    for (String[] each : damages) {
      damage(directory.resolve("whole"), Integer.parseInt(each[0]), each[1]);
      assertAlike(
          "io"
              + SECRETS
              + "--image-opts driver=luks,key-secret=s0,file.filename=@hostile -c 'read 0 512'");
      assertAlike("img info --image-opts driver=luks,file.filename=@hostile");
    }
  }

  @Test
  void keySlots() throws IOException {
    make("img create -q -f luks" + SECRETS + "-o key-secret=s0,iter-time=10 @whole 64k", true);
    String[] changes = {
      "state=active,new-secret=s1,iter-time=10,keyslot=0",
      "state=active,new-secret=s1,iter-time=10,keyslot=8",
      "state=active,new-secret=s1,iter-time=10,keyslot=-1",
      "state=active,new-secret=s1,old-secret=s0",
      "state=active,iter-time=10",
      "state=inactive",
      "state=inactive,new-secret=s1",
      "state=inactive,iter-time=10",
      "state=inactive,keyslot=0",
      "state=inactive,keyslot=1",
      "state=inactive,keyslot=9",
      "state=inactive,old-secret=s0",
      "state=inactive,old-secret=s1",
      "state=inactive,old-secret=s0,keyslot=1 --force",
      "state=inactive,old-secret=s0 --force",
      "state=inactive,keyslot=0 --force",
      "state=foo",
      "new-secret=s1",
      "state=active,new-secret=nope",
      "cipher-alg=aes-128,state=active,new-secret=s1",
    };
    for (String change : changes) {
      String[] sides = new String[2];
      for (int side = 0; side < 2; side++) {
        Files.copy(
            directory.resolve("whole"),
            directory.resolve("image"),
            StandardCopyOption.REPLACE_EXISTING);
        sides[side] =
            transcript(
                    run(
                        "img amend"
                            + SECRETS
                            + "--image-opts driver=luks,key-secret=s0,file.filename=@image -o "
                            + change,
                        side == 0))
                + run("img info @image", true).out().replaceAll("disk size.*", "");
      }
      assertEquals(sides[0], sides[1], change);
    }
    succeed(
        "img amend"
            + SECRETS
            + "--image-opts driver=luks,key-secret=s0,file.filename=@whole"
            + " -o state=active,new-secret=s1,keyslot=3,iter-time=10",
        false);
    String second = SECRETS + "--image-opts driver=luks,key-secret=s1,file.filename=@whole ";
    succeed("io" + second + "-c 'read 0 512'", true);
    succeed("img amend" + second + "-o state=inactive,old-secret=s0", false);
    assertAlike(
        "io"
            + SECRETS
            + "--image-opts driver=luks,key-secret=s0,file.filename=@whole -c 'read 0 512'");
    succeed("io" + second + "-c 'read 0 512'", true);
  }

  @Test
  void mistakes() throws IOException {
    make("img create -q -f luks" + SECRETS + "-o key-secret=s0,iter-time=10 @a.luks 64k", true);
    make(
        "img create -q -f qcow2"
            + SECRETS
            + "-o encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=10 @a.qcow2 64k",
        true);
    succeed(
        "img create -q -f qcow2"
            + SECRETS
            + "-o encrypt.format=aes,encrypt.key-secret=s0 @b.qcow2 64k",
        false);
    succeed("img create -q -f qcow2 @p.qcow2 64k", false);
    String objects = SECRETS + "--object authz-simple,id=x,identity=y ";
    for (String line :
        List.of(
            "img create -f luks -o help",
            "img amend -f luks -o help",
            "img create -f luks @c 1M",
            "img create -f luks -o key-secret=nope @c 1M",
            "img create -f qcow2 -o encrypt.format=luks @c 1M",
            "img create -f luks" + SECRETS + "-o key-secret=s0,cipher-alg=foo @c 1M",
            "img create -f luks" + SECRETS + "-o key-secret=s0,cipher-alg=des @c 1M",
            "img create -f luks" + SECRETS + "-o key-secret=s0,cipher-mode=foo @c 1M",
            "img create -f luks" + SECRETS + "-o key-secret=s0,ivgen-alg=foo @c 1M",
            "img create -f luks" + SECRETS + "-o key-secret=s0,hash-alg=foo @c 1M",
            "img create -f luks" + SECRETS + "-o key-secret=s0,preallocation=foo @c 1M",
            "img create -f luks"
                + SECRETS
                + "-o key-secret=s0,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha1 @c 1M",
            "io -c 'read 0 512' @a.luks",
            "io -c 'read 0 512' @a.qcow2",
            "io -c 'read 0 512' @b.qcow2",
            "img check @a.qcow2",
            "io --image-opts driver=luks,key-secret=s9,file.filename=@a.luks -c 'read 0 512'",
            "io"
                + objects
                + "--image-opts driver=luks,key-secret=x,file.filename=@a.luks -c 'read 0 512'",
            "io"
                + objects
                + "--image-opts driver=luks,key-secret=s1,file.filename=@a.luks -c 'read 0 512'",
            "io"
                + objects
                + "--image-opts"
                + " driver=qcow2,encrypt.format=aes,encrypt.key-secret=s0,file.filename=@a.qcow2 -c"
                + " 'read 0 512'",
            "io"
                + objects
                + "--image-opts"
                + " driver=qcow2,encrypt.format=luks,encrypt.key-secret=s0,file.filename=@b.qcow2"
                + " -c 'read 0 512'",
            "io"
                + objects
                + "--image-opts"
                + " driver=qcow2,encrypt.format=aes,encrypt.key-secret=s0,file.filename=@p.qcow2 -c"
                + " 'read 0 512'",
            "img amend" + SECRETS + "-o encrypt.state=active,encrypt.new-secret=s0 @p.qcow2",
            "img amend"
                + SECRETS
                + "-o encrypt.state=active,encrypt.new-secret=s0"
                + " --image-opts driver=qcow2,encrypt.key-secret=s0,file.filename=@b.qcow2",
            "img convert -c -O qcow2"
                + SECRETS
                + "-o encrypt.format=luks,encrypt.key-secret=s0 @p.qcow2 @c",
            "img measure -O luks --size 10M",
            "img measure -O luks --size 10M" + SECRETS + "-o key-secret=s0",
            "img measure -O qcow2 --size 10M"
                + SECRETS
                + "-o encrypt.format=luks,encrypt.key-secret=s0",
            "img measure -O qcow2 --size 10M"
                + SECRETS
                + "-o encrypt.format=aes,encrypt.key-secret=s0")) {
      assertAlike(line);
    }
  }

  @Test
  void secrets() throws IOException {
    succeed("img create -q -f raw @a 64k", false);
    String master = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=";
    String iv = "aWlpaWlpaWlpaWlpaWlpaQ==";
    String text = "eBD/+6rC5/mmHCq5S91Bpg==";
    String key = " --object secret,id=m,data=" + master + ",format=base64 --object secret,id=s,";
    for (String secret :
        List.of(
            "data=" + text + ",keyid=m,iv=" + iv + ",format=base64",
            "data=" + text + ",keyid=m,format=base64",
            "data=" + text + ",keyid=m,iv=YWJj,format=base64",
            "data=" + text + ",keyid=m,iv=%%%%,format=base64",
            "data=0123456789abcdef,keyid=m,iv=" + iv,
            "data=0123456789,keyid=m,iv=" + iv,
            "data=,keyid=m,iv=" + iv,
            "data=abc,keyid=s",
            "data=abc,keyid=zz",
            "data=abc,format=base64",
            "data=YW%%,format=base64",
            "format=raw",
            "file=/nonexistent",
            "file=/tmp")) {
      assertAlike("img info -f raw" + key + secret + " @a");
    }
    make("img create -q -f luks" + SECRETS + "-o key-secret=s0,iter-time=10 @b 64k", true);
    assertAlike(
        "io"
            + key
            + "data="
            + text
            + ",keyid=m,iv="
            + iv
            + ",format=base64 --image-opts driver=luks,key-secret=s,file.filename=@b -c 'read 0"
            + " 512'");
  }
}
