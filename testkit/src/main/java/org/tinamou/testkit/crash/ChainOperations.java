package org.tinamou.testkit.crash;

import java.io.InputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.img.Committer;
import org.tinamou.tools.img.Rebaser;

/**
 * What is done to an image together with what is below it, as the tools do it. The guest's disk
 * stays the same at each moment.
 */
final class ChainOperations {
  /** The names of what an image may stand on; both are longer than what is left of a sector. */
  static final String FIRST = "/backing-" + "a".repeat(40);

  static final String SECOND = "/backing-" + "b".repeat(55);

  /** Holds the same as the first. */
  static final String THIRD = "/backing-" + "c".repeat(300);

  static final List<String> NAMES = List.of(FIRST, SECOND, THIRD);

  private final AioContext context;
  private final RecordedType files;
  private final SeededRandom random;

  ChainOperations(AioContext context, RecordedType files, SeededRandom random) {
    this.context = context;
    this.files = files;
    this.random = random;
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
    CrashImage target = CrashImage.openFile(context, files, FIRST);
    try {
      new Committer(image.inTool(), target.inTool(), 1, progress()).commit();
      image.overlay().makeEmpty();
      image.backend().flush();
    } finally {
      target.close();
    }
  }

  static Progress progress() {
    Console console = new Console("img", InputStream.nullInputStream(), System.out, System.err);
    return new Progress(console, false, 1);
  }

  /** Takes over what the image would lose with the file below, and then names another one. */
  void rebase(CrashImage image) throws BlockException {
    takeOver(image, SECOND);
    image.overlay().changeBacking(SECOND, random.nextBoolean() ? "raw" : null);
  }

  /** Takes over everything that is below, and then names nothing. */
  void standAlone(CrashImage image) throws BlockException {
    takeOver(image, null);
    image.overlay().changeBacking(null, null);
  }

  /** Names another file of the same content, without a look at either. */
  void otherName(CrashImage image) throws BlockException {
    image.overlay().changeBacking(THIRD, random.nextBoolean() ? "raw" : null);
  }

  private void takeOver(CrashImage image, @Nullable String other) throws BlockException {
    CrashImage before = CrashImage.openFile(context, files, FIRST);
    CrashImage after = other == null ? null : CrashImage.openFile(context, files, other);
    try {
      OpenImage next = after == null ? null : after.inTool();
      new Rebaser(image.inTool(), before.inTool(), next, false, progress()).copyDifferences();
    } finally {
      before.close();
      if (after != null) {
        after.close();
      }
    }
  }
}
