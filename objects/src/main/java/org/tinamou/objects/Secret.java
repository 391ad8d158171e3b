package org.tinamou.objects;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.qapi.OptionException;

/** A password or key that others refer to by the id of the object; never shown. */
public final class Secret implements UserObject {
  private final byte[] value;

  Secret(byte[] value) {
    this.value = value;
  }

  /** A copy of the bytes; whoever asked may wipe it. */
  @AnyThread
  public byte[] bytes() {
    return value.clone();
  }

  /**
   * The secret of that id.
   *
   * @throws OptionException if there is none
   */
  @HomeThread
  public static Secret find(ObjectRegistry objects, String id) throws OptionException {
    UserObject found = objects.find(id);
    if (found == null) {
      throw new OptionException("No secret with id '" + id + "'");
    }
    if (found instanceof Secret secret) {
      return secret;
    }
    throw new OptionException("Object with id '" + id + "' is not a secret");
  }

  /**
   * A secret that is text, as a password is: a copy of its bytes.
   *
   * @throws OptionException if there is none of that id, or it is not UTF-8
   */
  @HomeThread
  public static byte[] password(ObjectRegistry objects, String id) throws OptionException {
    byte[] bytes = find(objects, id).bytes();
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
    } catch (CharacterCodingException e) {
      throw new OptionException("Data from secret " + id + " is not valid UTF-8");
    }
    return bytes;
  }

  @Override
  public String toString() {
    return "a secret";
  }
}
