package org.tinamou.testkit.crash;

import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;

/**
 * What is done to an image together with what is below it, as the tools do it. The guest's disk
 * stays the same at each moment.
 */
final class ChainOperations {
  /** So often a power cut may find the file below in the middle of a commit; each costs memory. */
  private static final int MOST_CONTENTS = 16;

  /** The names of what an image may stand on; both are longer than what is left of a sector. */
  static final String FIRST = "/backing-" + "a".repeat(40);

  static final String SECOND = "/backing-" + "b".repeat(55);

  /** Holds the same as the first. */
  private static final String THIRD = "/backing-" + "c".repeat(300);

  static final List<String> NAMES = List.of(FIRST, SECOND, THIRD);

  private final AioContext context;
  private final RecordedType files;
  private final SeededRandom random;
  private final int clusterBytes;

  ChainOperations(AioContext context, RecordedType files, SeededRandom random, CrashConfig config) {
    this.context = context;
    this.files = files;
    this.random = random;
    this.clusterBytes = config.unitBytes();
  }

  /** Two files that differ in some of their sectors. */
  static void putBelow(RecordedType files, int bytes) {
    byte[] first = new byte[bytes];
    byte[] second = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      first[i] = GuestModel.byteAt(GuestModel.BACKING, i);
      second[i] = (byte) (first[i] + (i / GuestModel.SECTOR_BYTES % 5 == 0 ? 1 : 0));
    }
    files.put(FIRST, new RecordedFile(first));
    files.put(SECOND, new RecordedFile(second));
    files.put(THIRD, new RecordedFile(first));
  }

  /** Brings what the image holds to the file below, and then empties the image. */
  void commit(CrashImage image) throws BlockException {
    RecordedFile below = files.file(FIRST);
    byte[] durable = below.content();
    CrashImage target = CrashImage.openFile(context, files, FIRST);
    try {
      byte[] disk = image.readAll();
      if (below.size() < disk.length) {
        target.backend().truncate(disk.length, true, PreallocationMode.OFF);
        tell(durable);
      }
      long apart = Math.max(1, disk.length / clusterBytes / MOST_CONTENTS);
      int written = 0;
      for (long at = 0; at < disk.length; at += clusterBytes) {
        int length = (int) Math.min(clusterBytes, disk.length - at);
        if (image.isAllocated(at, length)) {
          target.writeBytes(at, disk, (int) at, length, RequestFlags.NONE);
          if (written++ % apart == 0) {
            tell(durable);
          }
        }
      }
      target.backend().flush();
      tell(below.content());
      image.overlay().makeEmpty();
      image.backend().flush();
    } finally {
      target.close();
    }
  }

  /** A power cut from here on leaves the file below with all or some of what was written. */
  private void tell(byte[] durable) {
    byte[] now = files.file(FIRST).content();
    byte[] some = now.clone();
    for (int at = 0; at < now.length; at += GuestModel.SECTOR_BYTES) {
      if (random.nextBoolean()) {
        for (int i = at; i < Math.min(now.length, at + GuestModel.SECTOR_BYTES); i++) {
          some[i] = i < durable.length ? durable[i] : 0;
        }
      }
    }
    files.file("image").below(List.of(durable, now, some));
  }

  /** Takes over what the image would lose with the file below, and then names another one. */
  void rebase(CrashImage image) throws BlockException {
    takeOver(image, files.file(SECOND).content());
    image.overlay().changeBacking(SECOND, random.nextBoolean() ? "raw" : null);
  }

  /** Takes over everything that is below, and then names nothing. */
  void standAlone(CrashImage image) throws BlockException {
    takeOver(image, new byte[0]);
    image.overlay().changeBacking(null, null);
  }

  /** Names another file of the same content, without a look at either. */
  void otherName(CrashImage image) throws BlockException {
    image.overlay().changeBacking(THIRD, random.nextBoolean() ? "raw" : null);
  }

  private void takeOver(CrashImage image, byte[] other) throws BlockException {
    byte[] disk = image.readAll();
    for (long at = 0; at < disk.length; at += clusterBytes) {
      int length = (int) Math.min(clusterBytes, disk.length - at);
      if (!image.isAllocated(at, length) && differs(disk, other, (int) at, length)) {
        image.writeBytes(at, disk, (int) at, length, RequestFlags.NONE);
      }
    }
    image.backend().flush();
  }

  private static boolean differs(byte[] disk, byte[] other, int from, int length) {
    for (int i = from; i < from + length; i++) {
      if (disk[i] != (i < other.length ? other[i] : 0)) {
        return true;
      }
    }
    return false;
  }
}
