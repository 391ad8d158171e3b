package org.tinamou.daemon.hmp;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.Json;

/** Looks into replies, whose form the schema promises. */
final class JsonFields {
  private JsonFields() {}

  static @Nullable String textOrNull(Json.Members object, String name) {
    return object.members().get(name) instanceof Json.Scalar scalar ? scalar.text() : null;
  }

  static String text(Json.Members object, String name) {
    String text = textOrNull(object, name);
    return text == null ? "" : text;
  }

  static long number(Json.Members object, String name) {
    return object.members().get(name) instanceof Json.Whole(long value) ? value : 0;
  }

  static boolean flag(Json.Members object, String name) {
    return object.members().get(name) instanceof Json.Bool(boolean value) && value;
  }

  static boolean has(Json.Members object, String name) {
    return object.members().containsKey(name);
  }

  static Json.@Nullable Members objectOrNull(Json.Members object, String name) {
    return object.members().get(name) instanceof Json.Members below ? below : null;
  }

  /** The objects of a list. */
  static List<Json.Members> objects(@Nullable Json list) {
    return list instanceof Json.Array array
        ? array.elements().stream()
            .filter(Json.Members.class::isInstance)
            .map(Json.Members.class::cast)
            .toList()
        : List.of();
  }
}
