package org.tinamou.drivers;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tinamou.aio.AnyThread;
import org.tinamou.block.open.DriverList;
import org.tinamou.block.open.DriverType;
import org.tinamou.drivers.filter.blkdebug.BlkdebugType;
import org.tinamou.drivers.filter.blklogwrites.BlklogwritesType;
import org.tinamou.drivers.filter.blkverify.BlkverifyType;
import org.tinamou.drivers.filter.compress.CompressType;
import org.tinamou.drivers.filter.copybeforewrite.CopyBeforeWriteType;
import org.tinamou.drivers.filter.copyonread.CopyOnReadType;
import org.tinamou.drivers.filter.preallocate.PreallocateType;
import org.tinamou.drivers.filter.quorum.QuorumType;
import org.tinamou.drivers.filter.snapshotaccess.SnapshotAccessType;
import org.tinamou.drivers.filter.throttle.ThrottleType;
import org.tinamou.drivers.format.luks.LuksType;
import org.tinamou.drivers.format.qcow2.Qcow2Type;
import org.tinamou.drivers.format.raw.RawType;
import org.tinamou.drivers.protocol.file.DescriptorSets;
import org.tinamou.drivers.protocol.file.FileType;
import org.tinamou.drivers.protocol.nbd.NbdType;
import org.tinamou.drivers.protocol.nullblock.NullType;
import org.tinamou.objects.ObjectRegistry;

/** All drivers there are. */
public final class Drivers {
  /** Names of formats and protocols that the reference has and this program has not. */
  private static final Set<String> MISSING =
      Set.of(
          "bochs",
          "cloop",
          "dmg",
          "fat",
          "ftp",
          "ftps",
          "gluster",
          "gluster+rdma",
          "gluster+tcp",
          "gluster+unix",
          "http",
          "https",
          "iscsi",
          "iser",
          "nbds",
          "nfs",
          "nvme",
          "parallels",
          "qcow",
          "qed",
          "rbd",
          "replication",
          "ssh",
          "vdi",
          "vhdx",
          "vmdk",
          "vpc",
          "vvfat",
          "vxhs");

  private Drivers() {}

  /** Whether users know a driver or protocol by a name, whether or not this program has it. */
  @AnyThread
  public static boolean isKnown(String name) {
    return MISSING.contains(name) || list().names().contains(name);
  }

  /** The names of all drivers as users are told of them, by the alphabet. */
  @AnyThread
  public static String namesAsTold() {
    return String.join(" ", new TreeSet<>(list().names()));
  }

  /** A list of all drivers. */
  @AnyThread
  public static DriverList list() {
    return list(ObjectRegistry.none());
  }

  /**
   * A list of all drivers.
   *
   * @param objects where nodes find what their options name by its id
   */
  @AnyThread
  public static DriverList list(ObjectRegistry objects) {
    return list(objects, FileType.all());
  }

  /**
   * The same, whose files may also be such as were passed to this program.
   *
   * @param sets where {@code /dev/fdset/N} is looked up
   */
  @AnyThread
  public static DriverList list(ObjectRegistry objects, DescriptorSets sets) {
    return list(objects, FileType.withSets(sets));
  }

  private static DriverList list(ObjectRegistry objects, List<FileType> files) {
    List<DriverType> types = new ArrayList<>();
    types.add(new RawType());
    types.add(new Qcow2Type(objects));
    types.add(new LuksType(objects));
    types.addAll(files);
    types.add(new BlkdebugType());
    types.add(new BlklogwritesType());
    types.add(new BlkverifyType());
    types.add(new CompressType());
    types.add(new CopyBeforeWriteType());
    types.add(new CopyOnReadType());
    types.add(new PreallocateType());
    types.add(new QuorumType());
    types.add(new SnapshotAccessType());
    types.add(new ThrottleType(objects));
    types.addAll(NullType.all());
    types.add(new NbdType(objects));
    return new DriverList(types, MISSING, FormatSignatures::probe);
  }
}
