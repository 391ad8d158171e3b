package org.tinamou.drivers.format.luks;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.HeapBytes;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.Secret;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionValues;

/** Checks what somebody wants of a new volume in a file of its own, then makes it. */
public final class LuksCreator {
  /** Whether the file is to have the header alone. */
  public static final String DETACHED = "detached-header";

  /** In the order in which the reference reports them. */
  public static final OptionSchema OPTIONS = new OptionSchema(options());

  private LuksCreator() {}

  private static List<Option> options() {
    List<Option> all = new ArrayList<>();
    all.add(Option.size("size", "Virtual disk size"));
    all.addAll(LuksRequest.options("", "ID of the secret that provides the keyslot passphrase"));
    all.add(Option.bool(DETACHED, "Make a header alone, for data in another file").unlisted());
    return all;
  }

  /**
   * The password of a new volume, or of one that is to be opened.
   *
   * @param option what names its id
   * @param id its id, or null
   */
  public static byte[] password(ObjectRegistry objects, String option, @Nullable String id)
      throws BlockException {
    if (id == null) {
      throw new BlockException(Errno.EINVAL, "Parameter '" + option + "' is required for cipher");
    }
    try {
      return Secret.password(objects, id);
    } catch (OptionException e) {
      throw new BlockException(Errno.EINVAL, e.getMessage());
    }
  }

  /**
   * Makes a volume in an empty file.
   *
   * @param target the file, which may be written and grow
   */
  @InCoroutine
  public static void create(
      BlockBackend target, OptionValues values, ObjectRegistry objects, KeyWork work)
      throws BlockException, OptionException {
    LuksRequest request = LuksRequest.of(values, "");
    PreallocationMode preallocation = preallocation(values.string("preallocation"));
    boolean detached = values.bool(DETACHED, false);
    byte[] password = password(objects, "key-secret", request.keySecret());
    request.cipher().requireUsable();
    long headerBytes = LuksVolume.headerSectors(request) * LuksHeader.SECTOR_BYTES;
    long size = detached ? 0 : values.size("size", 0);
    if (size < 0 || size > Long.MAX_VALUE - headerBytes) {
      throw new BlockException(Errno.EFBIG, "The requested file size is too large");
    }
    target.truncate(headerBytes + size, false, preallocation);
    LuksVolume.create(new Target(target), request, password, detached, work);
  }

  /** What a new image takes besides its data, once it is sure that it could be made. */
  public static long headerBytes(OptionValues values, ObjectRegistry objects)
      throws BlockException, OptionException {
    LuksRequest request = LuksRequest.of(values, "");
    password(objects, "key-secret", request.keySecret());
    return LuksVolume.headerSectors(request) * LuksHeader.SECTOR_BYTES;
  }

  private static PreallocationMode preallocation(@Nullable String text) throws BlockException {
    PreallocationMode mode = text == null ? PreallocationMode.OFF : PreallocationMode.parse(text);
    if (mode == null) {
      throw new BlockException(Errno.EINVAL, "invalid parameter value: " + text);
    }
    return mode;
  }

  private record Target(BlockBackend file) implements LuksVolume.Area {
    @Override
    public byte[] read(long offsetBytes, int length) throws BlockException {
      return HeapBytes.read(file, offsetBytes, length);
    }

    @Override
    public void write(long offsetBytes, byte[] bytes) throws BlockException {
      HeapBytes.write(file, offsetBytes, bytes);
    }

    @Override
    public void flush() throws BlockException {
      file.flush();
    }

    @Override
    public long roomBytes() throws BlockException {
      return file.lengthBytes();
    }
  }
}
