package org.tinamou.drivers.protocol.file;

import java.util.List;
import org.tinamou.aio.AnyThread;
import org.tinamou.block.Permission;

/** Which bytes of an image stand for which permission when they are locked. */
public final class LockBytes {
  static final int USED_BASE = 100;
  static final int UNSHARED_BASE = 200;

  /** What is said where others use a permission that is not to be shared. */
  static final String USED_BY_OTHERS = "Failed to get shared \"%s\" lock";

  private LockBytes() {}

  /**
   * The byte that whoever uses a permission holds a lock on.
   *
   * @param permission one bit of {@link Permission}
   */
  @AnyThread
  public static int used(int permission) {
    return USED_BASE + Integer.numberOfTrailingZeros(permission);
  }

  /** What is said where others use a permission that is not to be shared. */
  @AnyThread
  public static String usedByOthers(int permission) {
    return refusal(USED_BY_OTHERS, permission);
  }

  /**
   * What is said to whoever has to know who holds the image, and what to do.
   *
   * @param holders the processes that hold locks on it, as far as they are known
   */
  @AnyThread
  public static String hint(String name, List<String> holders) {
    String question = "Is another process using the image [" + name + "]?";
    return holders.isEmpty()
        ? question
        : question
            + "\nIt is in use by process "
            + String.join(", ", holders)
            + ". Let that end first; only to look at the image as it is there is -U (img also"
            + " --shared).";
  }

  static String refusal(String message, int permission) {
    return message.replace("%s", Permission.names(permission));
  }
}
