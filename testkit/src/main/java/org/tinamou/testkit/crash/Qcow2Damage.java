package org.tinamou.testkit.crash;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;

/**
 * Makes a qcow2 image, flips one bit of its tables, and has it repaired: two passes are enough,
 * whatever the bit was, and the file does not become large.
 */
public final class Qcow2Damage {
  private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
  private static final int MOST_PASSES = 2;
  private static final int MOST_GROWTH = 2;

  private record Area(String name, long offset, int bytes) {}

  private final AioContext context;
  private final SeededRandom random;
  private final CrashConfig config;
  private final RecordedType files;
  private String story = "";

  private Qcow2Damage(AioContext context, SeededRandom random) {
    this.context = context;
    this.random = random;
    this.config = CrashConfig.draw(random);
    this.files = new RecordedType(random.fork());
    ChainOperations.putBelow(files, config.backed() ? (int) config.usedBytes() : 0);
  }

  /**
   * Plays one seed.
   *
   * @return in words what was done to the image, and what became of it
   * @throws Qcow2Crash.Failure with all that is needed to understand it
   */
  @InCoroutine
  public static String play(AioContext context, SeededRandom random) throws Exception {
    Qcow2Damage damage = new Qcow2Damage(context, random);
    String outcome = damage.run();
    return outcome + " (" + damage.story + ")";
  }

  private String run() throws Exception {
    prepare();
    byte[] bytes = files.file("image").content();
    flip(bytes);
    files.put("image", new RecordedFile(bytes));
    CheckRepair repair = random.nextInt(3) == 0 ? CheckRepair.LEAKS : CheckRepair.ALL;
    story += ", " + repair;
    for (int pass = 1; pass <= MOST_PASSES; pass++) {
      if (check(repair) == null) {
        return "refused";
      }
    }
    RecordedFile after = files.file("image");
    if (after.size() > MOST_GROWTH * bytes.length) {
      throw failure("GROWN from %d to %d bytes".formatted(bytes.length, after.size()));
    }
    byte[] settled = after.content();
    CheckReport last = check(repair);
    if (last == null || last.corruptionsFixed() + last.leaksFixed() > 0) {
      throw failure("NOT SETTLED after two passes: " + last);
    }
    if (!Arrays.equals(settled, files.file("image").content())) {
      throw failure("CHANGED again after two passes");
    }
    return last.isClean() ? "repaired" : "left";
  }

  private Qcow2Crash.Failure failure(String what) {
    return new Qcow2Crash.Failure(what + " (" + story + ", " + config + ")");
  }

  /** Returns null if the image is refused. */
  private @Nullable CheckReport check(CheckRepair repair) throws Exception {
    CrashImage image;
    try {
      image = open(NodeOptions.READ_WRITE.withForCheck(true));
    } catch (BlockException e) {
      story += ", refused: " + e.getMessage();
      return null;
    }
    try {
      List<String> lines = new ArrayList<>();
      CheckReport report = image.check(repair, lines::add);
      story += ", %d+%d found".formatted(report.corruptions(), report.leaks());
      if (!lines.isEmpty()) {
        story += ": " + lines.getFirst();
      }
      return report;
    } catch (BlockException e) {
      if (repair == CheckRepair.LEAKS && String.valueOf(e.hint()).contains("-r all")) {
        return null; // it says what to do
      }
      throw failure("ABORTED: " + e.getMessage());
    } finally {
      image.close();
    }
  }

  private CrashImage open(NodeOptions options) throws BlockException {
    return CrashImage.open(context, files, "image", ChainOperations.FIRST, config, options);
  }

  /** Data, packed data, zeroes, a snapshot and a bitmap, as far as the image can have them. */
  private void prepare() throws BlockException {
    files.put("image", new RecordedFile(new byte[0]));
    CrashImage file = CrashImage.openFile(context, files, "image");
    Qcow2Creator.create(file.backend(), config.request());
    file.close();
    CrashImage image = open(NodeOptions.READ_WRITE);
    long quarter = config.usedBytes() / 4;
    image.write(0, quarter, 2, RequestFlags.NONE);
    image.write(quarter, quarter, 3, RequestFlags.COMPRESSED);
    image.write(2 * quarter, quarter / 2, 4, RequestFlags.NONE);
    if (config.version3()) {
      image.backend().writeZeroes(3 * quarter, quarter / 2, RequestFlags.MAY_UNMAP);
      if (random.nextBoolean()) {
        image.addBitmap("bitmap");
      }
    }
    if (random.nextBoolean()) {
      snapshot(image);
    }
    image.write(0, quarter / 2, 5, RequestFlags.NONE);
    image.close();
  }

  private static void snapshot(CrashImage image) throws BlockException {
    try {
      image.snapshots().createSnapshot("kept", 0, 0, 0);
    } catch (BlockException e) {
      if (e.errno() != Errno.EINVAL) {
        throw e; // only that the counts are too narrow
      }
    }
  }

  private void flip(byte[] bytes) {
    List<Area> areas = areas(ByteBuffer.wrap(bytes));
    Area area = areas.get(random.nextInt(areas.size()));
    int at = (int) area.offset() + random.nextInt(area.bytes());
    int bit = random.nextInt(Byte.SIZE);
    bytes[at] ^= (byte) (1 << bit);
    story = "%s: bit %d of byte %#x".formatted(area.name(), bit, at);
  }

  private List<Area> areas(ByteBuffer bytes) {
    int cluster = config.clusterBytes();
    List<Area> areas = new ArrayList<>();
    areas.add(new Area("header", 0, config.version3() ? 112 : 72));
    areas.add(new Area("extensions", 72, Math.min(cluster, 600) - 72));
    long table = bytes.getLong(48);
    int tableBytes = bytes.getInt(56) * cluster;
    areas.add(new Area("table of counts", table, Math.min(tableBytes, 64)));
    for (int at = 0; at < tableBytes; at += Long.BYTES) {
      addCluster(areas, "counts", bytes.getLong((int) table + at));
    }
    addTree(areas, bytes, bytes.getLong(40), bytes.getInt(36));
    int snapshots = (int) bytes.getLong(64);
    if (snapshots != 0) {
      areas.add(new Area("table of snapshots", snapshots, 72));
      addTree(areas, bytes, bytes.getLong(snapshots), bytes.getInt(snapshots + 8));
    }
    return areas;
  }

  private void addTree(List<Area> areas, ByteBuffer bytes, long table, int entries) {
    areas.add(new Area("first level", table, entries * Long.BYTES));
    for (int i = 0; i < entries; i++) {
      addCluster(areas, "second level", bytes.getLong((int) table + i * Long.BYTES));
    }
  }

  private void addCluster(List<Area> areas, String name, long entry) {
    if ((entry & OFFSET_MASK) != 0) {
      areas.add(new Area(name, entry & OFFSET_MASK, config.clusterBytes()));
    }
  }
}
