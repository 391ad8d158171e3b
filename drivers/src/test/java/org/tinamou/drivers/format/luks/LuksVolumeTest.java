package org.tinamou.drivers.format.luks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Errno;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.crypto.CipherAlgorithm;
import org.tinamou.drivers.crypto.CipherMode;
import org.tinamou.drivers.crypto.HashAlgorithm;
import org.tinamou.drivers.crypto.IvAlgorithm;
import org.tinamou.drivers.crypto.SectorCipher;

/** Volumes in memory: made, unlocked, changed, and refused. */
final class LuksVolumeTest {
  private static final LuksRequest REQUEST =
      new LuksRequest(
          new LuksCipher(
              new SectorCipher.Spec(
                  CipherAlgorithm.AES_256, CipherMode.XTS, IvAlgorithm.PLAIN64, null),
              HashAlgorithm.SHA256),
          null,
          10);
  private static final byte[] PASSWORD = {'a', 'b', 'c'};
  private static final byte[] OTHER = {'d'};

  /** A header's place. */
  private static final class Memory implements LuksVolume.Area {
    byte[] bytes = new byte[3 << 20];

    @Override
    public byte[] read(long offsetBytes, int length) {
      return Arrays.copyOfRange(bytes, (int) offsetBytes, (int) offsetBytes + length);
    }

    @Override
    public void write(long offsetBytes, byte[] written) {
      System.arraycopy(written, 0, bytes, (int) offsetBytes, written.length);
    }

    @Override
    public void flush() {}

    @Override
    public long roomBytes() {
      return bytes.length;
    }
  }

  private interface Body {
    void run(AioContext context) throws Exception;
  }

  private static void onLoop(Body body) throws Exception {
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext context = host.newContext("main", BusyPolling.OFF)) {
      context.runUntilDone(
          "test",
          () -> {
            body.run(context);
            return null;
          });
    }
  }

  private static KeyWork work(AioContext context, long limit) {
    return new KeyWork(context, context.clocks(), limit, 1000, () -> false, new Random(3));
  }

  private static String refusal(LuksVolume.Area area, byte[] password, KeyWork work) {
    return assertThrows(
            BlockException.class,
            () -> LuksVolume.unlock(area, LuksVolume.readHeader(area, false), password, work))
        .getMessage();
  }

  @Test
  void keySlots() throws Exception {
    onLoop(
        context -> {
          Memory area = new Memory();
          KeyWork work = work(context, 100_000);
          LuksVolume made = LuksVolume.create(area, REQUEST, PASSWORD, false, work);
          assertEquals(4040, made.header().payloadSector());
          assertEquals("Invalid password, cannot unlock any keyslot", refusal(area, OTHER, work));
          made.addKey(5, OTHER, 10, work);
          made.eraseKey(0, work.random());
          assertEquals(
              "Invalid password, cannot unlock any keyslot", refusal(area, PASSWORD, work));
          LuksVolume again =
              LuksVolume.unlock(area, LuksVolume.readHeader(area, false), OTHER, work);
          assertArrayEquals(made.header().digest(), again.header().digest());
          assertTrue(again.opens(5, OTHER, work));
        });
  }

  @Test
  void tooManyIterationsAreNotBegun() throws Exception {
    onLoop(
        context -> {
          Memory area = new Memory();
          LuksVolume.create(area, REQUEST, PASSWORD, false, work(context, 100_000));
          Arrays.fill(area.bytes, 212, 216, (byte) 0xff);
          assertEquals(
              "Unlocking the volume may take 4294967420 iterations of key derivation, which is more"
                  + " than key-iterations-limit=100000000",
              refusal(area, PASSWORD, work(context, KeyWork.DEFAULT_LIMIT)));
        });
  }

  @Test
  void derivationLeavesTheLoopFreeAndCanBeGivenUp() throws Exception {
    onLoop(
        context -> {
          Memory area = new Memory();
          LuksVolume.create(area, REQUEST, PASSWORD, false, work(context, 100_000));
          Arrays.fill(area.bytes, 212, 216, (byte) 0xff);
          AtomicBoolean cancelled = new AtomicBoolean();
          KeyWork endless =
              new KeyWork(
                  context, context.clocks(), Long.MAX_VALUE, 0, cancelled::get, new Random(1));
          Errno[] found = new Errno[1];
          Coroutine opening =
              context.spawn(
                  "open",
                  () -> {
                    try {
                      LuksVolume.unlock(
                          area, LuksVolume.readHeader(area, false), PASSWORD, endless);
                    } catch (BlockException e) {
                      found[0] = e.errno();
                    }
                  });
          // Another coroutine of the loop gets its turns meanwhile, and ends it.
          Coroutine other = context.spawn("other", () -> cancelled.set(true));
          other.join();
          opening.join();
          assertEquals(Errno.ECANCELED, found[0]);
        });
  }

  private record Damage(int offset, String hex, String message) {}

  private static final List<Damage> DAMAGES =
      List.of(
          new Damage(0, "00", "Volume is not in LUKS format"),
          new Damage(6, "0002", "LUKS version 2 is not supported"),
          new Damage(8, "41".repeat(32), "LUKS header cipher name is not NUL terminated"),
          new Damage(40, "41".repeat(32), "LUKS header cipher mode is not NUL terminated"),
          new Damage(72, "41".repeat(32), "LUKS header hash spec is not NUL terminated"),
          new Damage(104, "00000001", "LUKS payload is overlapping with the header"),
          new Damage(104, "00000fc0", "Keyslot 7 is overlapping with the encrypted payload"),
          new Damage(108, "7fffffff", "Keyslot 0 is overlapping with the encrypted payload"),
          new Damage(164, "00000000", "LUKS key iteration count is zero"),
          new Damage(208, "00000001", "Keyslot 0 state (active/disable) is corrupted"),
          new Damage(212, "00000000", "Keyslot 0 iteration count is zero"),
          new Damage(252, "ffffffff", "Keyslot 0 is corrupted (stripes -1 != 4000)"),
          new Damage(248, "00000001", "Keyslot 0 is overlapping with the LUKS header"),
          new Damage(248, "ffffffff", "Keyslot 0 is overlapping with the encrypted payload"),
          new Damage(296, "00000009", "Keyslots 0 and 1 are overlapping in the header"));

  @Test
  void damagedHeaders() throws Exception {
    onLoop(
        context -> {
          Memory area = new Memory();
          LuksVolume.create(area, REQUEST, PASSWORD, false, work(context, 100_000));
          for (Damage damage : DAMAGES) {
            byte[] header = area.read(0, LuksHeader.BYTES);
            byte[] patch = java.util.HexFormat.of().parseHex(damage.hex());
            System.arraycopy(patch, 0, header, damage.offset(), patch.length);
            Parsed<LuksHeader> parsed = LuksHeader.parse(header, false);
            assertEquals(
                damage.message(),
                parsed instanceof Parsed.Malformed<LuksHeader> malformed
                    ? malformed.message()
                    : "accepted");
          }
          byte[] whole = area.read(0, LuksHeader.BYTES);
          assertArrayEquals(
              whole,
              ((Parsed.Value<LuksHeader>) LuksHeader.parse(whole, false)).value().serialise());
        });
  }
}
