package org.tinamou.qapi.schema;

import java.util.List;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * What an event tells.
 *
 * @param data its data as members of an object
 * @param features what is special about it, e.g. "deprecated"
 * @param summary a line for people
 */
public record EventSchema(
    String name, Type.ObjectType data, List<String> features, String summary) {

  /**
   * The data with all its members in the schema's order.
   *
   * @throws OptionException if it is not what the schema promises; the message says where
   */
  public Json.Members check(Json.Members given) throws OptionException {
    return InputCheck.object(data, given, OptionReader.Style.TYPED);
  }
}
