package org.tinamou.monitor;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.MemberOrder;

/**
 * What a client asks for.
 *
 * @param id comes back with the answer; null if there is none
 * @param outOfBand whether it goes before those that wait
 * @param refused why it is no request at all, or null
 */
record QmpRequest(
    @Nullable Json id,
    String command,
    Json.Members arguments,
    boolean outOfBand,
    @Nullable CommandException refused) {

  /**
   * Reads the envelope.
   *
   * @param input a value, or what is wrong with it
   * @param knowsOutOfBand whether the client has asked for that capability
   */
  static QmpRequest of(Parsed<Json> input, boolean knowsOutOfBand) {
    return switch (input) {
      case Parsed.Malformed<Json>(String _, String message) -> refused(null, false, message);
      case Parsed.Value<Json>(Json value) ->
          value instanceof Json.Members members
              ? of(members.members(), knowsOutOfBand)
              : refused(null, false, "QMP input must be a JSON object");
    };
  }

  private static QmpRequest refused(@Nullable Json id, boolean outOfBand, String message) {
    return new QmpRequest(id, "", new Json.Members(), outOfBand, new CommandException(message));
  }

  private static QmpRequest of(Map<String, Json> members, boolean knowsOutOfBand) {
    Json id = members.get("id");
    boolean outOfBand =
        knowsOutOfBand && members.containsKey("exec-oob") && !members.containsKey("execute");
    String commandKey = null;
    String command = "";
    Json.Members arguments = new Json.Members();
    // The first thing that is wrong decides the answer, in the order of the reference's tables.
    for (String key : MemberOrder.sorted(members.keySet())) {
      Json value = Objects.requireNonNull(members.get(key));
      boolean names = key.equals("execute") || (key.equals("exec-oob") && knowsOutOfBand);
      if (names) {
        if (!(value instanceof Json.Text(String text))) {
          return refused(id, outOfBand, "QMP input member '" + key + "' must be a string");
        }
        if (commandKey != null) {
          return refused(
              id, outOfBand, "QMP input member '" + key + "' clashes with '" + commandKey + "'");
        }
        commandKey = key;
        command = text;
      } else if (key.equals("arguments")) {
        if (!(value instanceof Json.Members given)) {
          return refused(id, outOfBand, "QMP input member 'arguments' must be an object");
        }
        arguments = given;
      } else if (!key.equals("id")) {
        return refused(id, outOfBand, "QMP input member '" + key + "' is unexpected");
      }
    }
    if (commandKey == null) {
      return refused(id, outOfBand, "QMP input lacks member 'execute'");
    }
    return new QmpRequest(id, command, arguments, outOfBand, null);
  }

  /** The answer of a command that was carried out. */
  Json answer(Json result) {
    Json.Members answer = new Json.Members().put("return", result);
    return id == null ? answer : answer.put("id", id);
  }

  /** The answer of one that was not. */
  Json answer(ErrorClass errorClass, String description) {
    Json.Members answer = new Json.Members();
    if (id != null) {
      answer.put("id", id);
    }
    return answer.put(
        "error", new Json.Members().put("class", errorClass.wireName()).put("desc", description));
  }
}
