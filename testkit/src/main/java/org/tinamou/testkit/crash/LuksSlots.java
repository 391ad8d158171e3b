package org.tinamou.testkit.crash;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** The key slots in the bytes of a LUKS header, by the words of the format. */
final class LuksSlots {
  static final int COUNT = 8;

  /** Its record begins 16 bytes before the end of the first sector. */
  static final int IN_TWO_SECTORS = 6;

  private static final int PAYLOAD_FIELD = 104;
  private static final int KEY_BYTES_FIELD = 108;
  private static final int RECORDS = 208;
  private static final int RECORD_BYTES = 48;
  private static final int PLACE_FIELD = 40;
  private static final int STRIPES = 4000;
  private static final int SECTOR_BYTES = 512;
  private static final int ACTIVE = 0x00ac71f3;
  private static final int INACTIVE = 0x0000dead;

  private LuksSlots() {}

  private static int record(int index) {
    return RECORDS + index * RECORD_BYTES;
  }

  static boolean isActive(byte[] header, int index) {
    return ByteBuffer.wrap(header).getInt(record(index)) == ACTIVE;
  }

  /** Whether a slot has the same record and the same material in both. */
  static boolean isSame(byte[] before, byte[] now, int index) {
    int from = record(index);
    int to = from + RECORD_BYTES;
    int material = ByteBuffer.wrap(before).getInt(from + PLACE_FIELD) * SECTOR_BYTES;
    int end = material + ByteBuffer.wrap(before).getInt(KEY_BYTES_FIELD) * STRIPES;
    return Arrays.equals(before, from, to, now, from, to)
        && now.length >= end
        && Arrays.equals(before, material, end, now, material, end);
  }

  /**
   * The same with room behind the last slot for another one.
   *
   * @param dataBytes so much follows; 0 if the data is somewhere else
   */
  static byte[] withRoom(byte[] volume, int dataBytes) {
    ByteBuffer fields = ByteBuffer.wrap(volume);
    int first = fields.getInt(record(0) + PLACE_FIELD);
    int room = fields.getInt(record(1) + PLACE_FIELD) - first;
    ByteBuffer roomy = ByteBuffer.allocate(volume.length + room * SECTOR_BYTES);
    int end = volume.length - dataBytes;
    roomy.put(0, volume, 0, end);
    roomy.put(end + room * SECTOR_BYTES, volume, end, dataBytes);
    if (dataBytes > 0) {
      roomy.putInt(PAYLOAD_FIELD, fields.getInt(PAYLOAD_FIELD) + room);
    }
    return roomy.array();
  }

  /** A copy in which no other slot is in use. */
  static byte[] alone(byte[] header, int index) {
    byte[] copy = header.clone();
    for (int i = 0; i < COUNT; i++) {
      if (i != index) {
        ByteBuffer.wrap(copy).putInt(record(i), INACTIVE);
      }
    }
    return copy;
  }
}
