package org.tinamou.objects;

import java.util.List;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** A kind of object that users can define. One instance in a program. */
public interface ObjectType {
  /** The name in {@code qom-type=}. */
  @AnyThread
  String name();

  /** Its properties as a listing shows them, e.g. "data=&lt;string&gt;". */
  @AnyThread
  List<String> properties();

  /**
   * Makes one. Options that nobody reads are refused afterwards. Main loop.
   *
   * @param others what is defined already
   * @throws OptionException with a message for the user
   */
  @HomeThread
  UserObject create(String id, OptionReader options, ObjectRegistry others) throws OptionException;
}
