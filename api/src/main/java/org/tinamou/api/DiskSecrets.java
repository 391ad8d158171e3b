package org.tinamou.api;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.tinamou.base.Errno;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.OptionException;

/**
 * Passwords by the names under which a disk's options refer to them ({@code key-secret}, {@code
 * encrypt.key-secret}). Immutable; never shown, also not in the text of what holds it.
 */
public final class DiskSecrets {
  /** None at all. */
  public static final DiskSecrets NONE = new DiskSecrets(Map.of());

  private final Map<String, byte[]> values;

  private DiskSecrets(Map<String, byte[]> values) {
    this.values = values;
  }

  /**
   * These and another one; the bytes are copied, and the caller may wipe his.
   *
   * @param name letters, digits, '-', '.' and '_', starting with a letter
   */
  public DiskSecrets with(String name, byte[] value) {
    Map<String, byte[]> more = new LinkedHashMap<>(values);
    more.put(name, value.clone());
    return new DiskSecrets(more);
  }

  /** These and a password. */
  public DiskSecrets with(String name, String password) {
    return with(name, password.getBytes(StandardCharsets.UTF_8));
  }

  /** The names, in the order in which they were given. */
  public Set<String> names() {
    return Collections.unmodifiableSet(values.keySet());
  }

  ObjectRegistry toRegistry() throws DiskException {
    try {
      return ObjectRegistry.ofSecrets(values);
    } catch (OptionException e) {
      throw new DiskException(Errno.EINVAL, String.valueOf(e.getMessage()), null, null);
    }
  }

  @Override
  public String toString() {
    return "secrets " + values.keySet();
  }
}
