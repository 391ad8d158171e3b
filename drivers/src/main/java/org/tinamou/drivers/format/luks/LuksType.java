package org.tinamou.drivers.format.luks;

import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.drivers.HeapBytes;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.OptionException;

/** {@code driver=luks}: {@code key-secret}, {@code file}, {@code header}. */
public final class LuksType implements DriverType {
  /** Ours: how many iterations of key derivation an image may ask for. */
  public static final String LIMIT = "key-iterations-limit";

  private static final Set<EdgeRole> FILE =
      EnumSet.of(EdgeRole.DATA, EdgeRole.METADATA, EdgeRole.PRIMARY);
  private static final Set<EdgeRole> HEADER = EnumSet.of(EdgeRole.METADATA);

  private final ObjectRegistry objects;
  private final KeyWork.Maker keys;

  /**
   * The driver of a program.
   *
   * @param objects where it finds passwords
   */
  public LuksType(ObjectRegistry objects) {
    this(objects, LuksType::work);
  }

  /**
   * The same with another way to derive keys.
   *
   * @param keys makes it for each image
   */
  public LuksType(ObjectRegistry objects, KeyWork.Maker keys) {
    this.objects = objects;
    this.keys = keys;
  }

  @Override
  public String name() {
    return "luks";
  }

  @Override
  public List<String> significantOptions() {
    return List.of("key-secret", "header");
  }

  /** How keys are derived where nobody says otherwise. */
  @AnyThread
  public static KeyWork work(AioContext context, @Nullable Long limit) {
    return new KeyWork(
        context,
        context.clocks(),
        limit == null ? KeyWork.DEFAULT_LIMIT : limit,
        0,
        () -> Thread.currentThread().isInterrupted(),
        new SecureRandom());
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    boolean readOnly = opening.node().isReadOnly();
    int used = Permission.CONSISTENT_READ;
    Edge file = opening.child("file", FILE, used, Permission.ALL);
    Edge apart =
        opening.childOrNull(
            "header", opening.fileName("header"), true, HEADER, used, Permission.ALL);
    String secret = opening.options().stringOrNull("key-secret");
    KeyWork work = keys.make(opening.node().context(), opening.options().uint64OrNull(LIMIT));
    EdgeArea area = new EdgeArea(apart == null ? file : apart, 0, Long.MAX_VALUE);
    // Whoever only wants to know what the header says does without a key.
    boolean unlocks = opening.opensBacking() || !readOnly;
    byte[] password = unlocks ? LuksCreator.password(objects, "key-secret", secret) : null;
    LuksHeader header = LuksVolume.readHeader(area, apart != null);
    LuksVolume volume = password == null ? null : LuksVolume.unlock(area, header, password, work);
    long payload = header.payloadSector() * LuksHeader.SECTOR_BYTES;
    LuksDriver.lengthOf(file.lengthBytes(), payload);
    return new LuksDriver(
        new LuksDriver.Parts(file, apart, secret != null, objects, work), header, volume);
  }

  /**
   * A header at a place in a file.
   *
   * @param mostBytes header and slots may take so many, even if the file is longer
   */
  public record EdgeArea(Edge file, long startBytes, long mostBytes) implements LuksVolume.Area {
    @Override
    public byte[] read(long offsetBytes, int length) throws BlockException {
      return HeapBytes.read(file, startBytes + offsetBytes, length);
    }

    @Override
    public void write(long offsetBytes, byte[] bytes) throws BlockException {
      HeapBytes.write(file, startBytes + offsetBytes, bytes);
    }

    @Override
    public void flush() throws BlockException {
      file.flush();
    }

    @Override
    public long roomBytes() throws BlockException {
      return Math.min(mostBytes, file.lengthBytes() - startBytes);
    }
  }
}
