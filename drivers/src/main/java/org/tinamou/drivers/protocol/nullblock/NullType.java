package org.tinamou.drivers.protocol.nullblock;

import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** {@code driver=null-co} and {@code driver=null-aio}. */
public final class NullType implements DriverType.Protocol {
  private static final int SECTOR_BYTES = 512;

  private final String name;

  private NullType(String name) {
    this.name = name;
  }

  /** Both of them. */
  public static List<NullType> all() {
    return List.of(new NullType("null-co"), new NullType("null-aio"));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<String> prefixes() {
    return List.of(name);
  }

  @Override
  public List<String> significantOptions() {
    return List.of("size", "read-zeroes");
  }

  @Override
  public Json.Members optionsOfName(String fileName) throws OptionException {
    if (!fileName.equals(name + "://")) {
      throw new OptionException("The only allowed filename for this driver is '" + name + "://'");
    }
    return new Json.Members();
  }

  private static long roundUp(long bytes) {
    return (bytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    Long size = opening.options().bytesOrNull("size");
    long latency = opening.options().uint64("latency-ns", 0);
    if (latency < 0) {
      throw new BlockException(Errno.EINVAL, "latency-ns is invalid");
    }
    boolean readZeroes = opening.options().bool("read-zeroes", false);
    long length = size == null ? NullDriver.DEFAULT_LENGTH_BYTES : roundUp(size);
    return new NullDriver(name, length, latency, readZeroes, size == null);
  }
}
