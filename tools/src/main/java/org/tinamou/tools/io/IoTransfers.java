package org.tinamou.tools.io;

import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.tools.image.OpenImage;

/** Checks that reading and writing share. */
final class IoTransfers {
  private IoTransfers() {}

  /** Fails like the request would, before memory for it is found. */
  static void requireInside(IoSession session, long offset, long size, String verb)
      throws BlockException {
    if (!session.image().contains(offset, size)) {
      throw BlockException.of(Errno.EIO, verb);
    }
  }

  /** Where the machine's memory is kept. */
  static InternalSnapshots vmState(IoSession session, String verb) throws BlockException {
    InternalSnapshots snapshots = session.image().internalSnapshots();
    if (snapshots == null) {
      throw BlockException.of(Errno.EOPNOTSUPP, verb);
    }
    return snapshots;
  }

  /** Refuses what does not cover whole sectors. */
  static void requireSectors(IoArguments arguments, long offset, long count)
      throws IoArguments.Refused {
    if (offset % OpenImage.SECTOR_BYTES != 0) {
      throw arguments.refuse(offset + " is not a sector-aligned value for 'offset'");
    }
    if (count % OpenImage.SECTOR_BYTES != 0) {
      throw arguments.refuse(count + " is not a sector-aligned value for 'count'");
    }
  }
}
