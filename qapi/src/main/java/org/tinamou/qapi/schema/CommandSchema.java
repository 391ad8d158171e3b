package org.tinamou.qapi.schema;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * What a command takes and returns.
 *
 * @param arguments its arguments as members of an object
 * @param reply the type of what it returns, or null if that is an empty object
 * @param features what is special about it, e.g. "deprecated"
 * @param outOfBand whether it may overtake others on the same connection
 * @param summary a line for people
 */
public record CommandSchema(
    String name,
    Type.ObjectType arguments,
    @Nullable Type reply,
    List<String> features,
    boolean outOfBand,
    String summary) {

  /**
   * The arguments, each of the type it must have, in the schema's order.
   *
   * @param given what a client sent; an empty object if it sent nothing
   * @throws OptionException with the message for the client, if one is missing, wrong or unknown
   */
  public Json.Members check(Json.Members given) throws OptionException {
    return InputCheck.object(arguments, given, OptionReader.Style.TYPED);
  }

  /**
   * As {@link #check}, for handlers that read arguments by name. They need not call {@code finish}:
   * nothing unknown is left.
   */
  public OptionReader read(Json.Members given) throws OptionException {
    return OptionReader.of(check(given), OptionReader.Style.TYPED);
  }

  /**
   * A reply with all its members in the schema's order.
   *
   * @throws OptionException if it is not what the schema promises; the message says where
   */
  public Json checkReply(Json given) throws OptionException {
    if (reply == null) {
      boolean empty = given instanceof Json.Members members && members.members().isEmpty();
      if (!empty) {
        throw new OptionException("Command '" + name + "' returns nothing");
      }
      return given;
    }
    return InputCheck.value(reply, given, "return");
  }

  /** As {@link #checkReply}, where a wrong reply is a programmer's error. */
  public Json ordered(Json given) {
    try {
      return checkReply(given);
    } catch (OptionException e) {
      Check.state(false, "reply of '%s': %s", name, e.getMessage());
      throw new IllegalStateException(e);
    }
  }
}
