package org.tinamou.drivers;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.tinamou.aio.AnyThread;
import org.tinamou.block.open.DriverList;
import org.tinamou.block.open.DriverType;
import org.tinamou.drivers.filter.blkdebug.BlkdebugType;
import org.tinamou.drivers.format.raw.RawType;
import org.tinamou.drivers.protocol.file.FileType;
import org.tinamou.drivers.protocol.nullblock.NullType;

/** All drivers there are. */
public final class Drivers {
  /** Names of formats and protocols that the reference has and this program has not. */
  private static final Set<String> MISSING =
      Set.of(
          "blklogwrites",
          "blkverify",
          "bochs",
          "cloop",
          "compress",
          "copy-before-write",
          "copy-on-read",
          "dmg",
          "fat",
          "ftp",
          "ftps",
          "gluster",
          "gluster+rdma",
          "gluster+tcp",
          "gluster+unix",
          "host_cdrom",
          "http",
          "https",
          "iscsi",
          "iser",
          "luks",
          "nbd",
          "nbd+tcp",
          "nbd+unix",
          "nbds",
          "nfs",
          "nvme",
          "parallels",
          "preallocate",
          "qcow",
          "qcow2",
          "qed",
          "quorum",
          "rbd",
          "replication",
          "snapshot-access",
          "ssh",
          "throttle",
          "vdi",
          "vhdx",
          "vmdk",
          "vpc",
          "vvfat",
          "vxhs");

  private Drivers() {}

  /** A list of all drivers. */
  @AnyThread
  public static DriverList list() {
    List<DriverType> types = new ArrayList<>();
    types.add(new RawType());
    types.addAll(FileType.all());
    types.add(new BlkdebugType());
    types.addAll(NullType.all());
    return new DriverList(types, MISSING, FormatSignatures::probe);
  }
}
