package org.tinamou.objects;

import org.tinamou.aio.AnyThread;

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
}
