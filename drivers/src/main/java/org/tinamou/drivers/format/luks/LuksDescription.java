package org.tinamou.drivers.format.luks;

import java.util.List;
import org.tinamou.aio.AnyThread;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.crypto.IvAlgorithm;
import org.tinamou.drivers.crypto.SectorCipher;
import org.tinamou.drivers.format.luks.LuksHeader.KeySlot;
import org.tinamou.qapi.Json;

/** What a header tells of its volume. Pure functions over bytes. */
public final class LuksDescription {
  private LuksDescription() {}

  /**
   * Reads a description.
   *
   * @param start the first {@link LuksHeader#BYTES}
   * @param fileBytes the length of the file
   * @throws BlockException with the message that opening the image would end with
   */
  @AnyThread
  public static ImageDescription of(byte[] start, long fileBytes) throws BlockException {
    LuksHeader header = LuksVolume.checked(LuksHeader.parse(start, false));
    long payload = header.payloadSector() * LuksHeader.SECTOR_BYTES;
    return of(header, LuksDriver.lengthOf(fileBytes, payload), false);
  }

  static ImageDescription of(LuksHeader header, long lengthBytes, boolean detached)
      throws BlockException {
    Json.Members specific = members(header);
    if (detached) {
      specific.put("detached-header", true);
    }
    return new ImageDescription(lengthBytes, 0, false, null, null, false, specific)
        .withEncryption();
  }

  /** By the names of the machine-readable form. */
  @AnyThread
  public static Json.Members members(LuksHeader header) throws BlockException {
    LuksCipher cipher = LuksCipher.of(header);
    SectorCipher.Spec sectors = cipher.sectors();
    Json.Members members = new Json.Members();
    members.put("cipher-alg", sectors.algorithm().optionName());
    members.put("cipher-mode", sectors.mode().text());
    members.put("ivgen-alg", sectors.ivAlgorithm().text());
    if (sectors.ivAlgorithm() == IvAlgorithm.ESSIV && sectors.ivHash() != null) {
      members.put("ivgen-hash-alg", sectors.ivHash().text());
    }
    members.put("hash-alg", cipher.hash().text());
    members.put("payload-offset", header.payloadSector() * LuksHeader.SECTOR_BYTES);
    members.put("master-key-iters", Integer.toUnsignedLong(header.digestIterations()));
    members.put("uuid", header.uuid());
    members.put("slots", slots(header.slots()));
    return members;
  }

  private static Json slots(List<KeySlot> slots) {
    Json.Array all = new Json.Array();
    for (KeySlot slot : slots) {
      Json.Members members = new Json.Members().put("active", slot.active());
      if (slot.active()) {
        members.put("iters", Integer.toUnsignedLong(slot.iterations()));
      }
      members.put("key-offset", slot.firstSector() * LuksHeader.SECTOR_BYTES);
      if (slot.active()) {
        members.put("stripes", (long) slot.stripes());
      }
      all.add(members);
    }
    return all;
  }
}
