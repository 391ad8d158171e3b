package org.tinamou.qapi.schema;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader.Style;
import org.tinamou.qapi.OptionScalars;

/**
 * Goes through a value in the order of its type and makes the same value anew: typed, and with its
 * members in that order. The first thing that is wrong ends it; what an object has too much is
 * found when all of its members have been seen.
 */
final class InputCheck {
  /** What messages call an element of a list where they name a member alone. */
  private static final String NO_NAME = "null";

  private final Style style;

  private InputCheck(Style style) {
    this.style = style;
  }

  /**
   * Where a value stands.
   *
   * @param full with all that it is in, e.g. "actions[0].data"
   * @param alone the name of the member
   */
  private record Place(String full, String alone) {
    Place member(String name) {
      return new Place(full.isEmpty() ? name : full + "." + name, name);
    }

    Place element(int index, Style style) {
      String suffix = style == Style.TYPED ? "[" + index + "]" : "." + index;
      return new Place(full + suffix, NO_NAME);
    }
  }

  /** An object that has no name itself, as the arguments of a command. */
  static Json.Members object(Type.ObjectType type, Json.Members given, Style style)
      throws OptionException {
    return new InputCheck(style).members(type, given, new Place("", ""));
  }

  /** A typed value of any type; messages call it as given. */
  static Json value(Type type, Json given, String name) throws OptionException {
    return new InputCheck(Style.TYPED).value(type, given, new Place(name, name));
  }

  private Json.Members members(Type.ObjectType type, Json.Members given, Place at)
      throws OptionException {
    Json.Members result = new Json.Members();
    Set<String> known = new LinkedHashSet<>();
    members(type, given, at, result, known);
    String unexpected = UnexpectedMember.first(given, known);
    if (unexpected != null) {
      throw new OptionException("Parameter '" + at.member(unexpected).full() + "' is unexpected");
    }
    return result;
  }

  private void members(
      Type.ObjectType type, Json.Members given, Place at, Json.Members result, Set<String> known)
      throws OptionException {
    for (Type.Member member : type.members()) {
      Json value = given.members().get(member.name());
      if (value != null) {
        known.add(member.name());
        result.put(member.name(), value(member.type(), value, at.member(member.name())));
      } else if (!member.optional()) {
        throw new OptionException("Parameter '" + at.member(member.name()).full() + "' is missing");
      }
    }
    Type.Member tag = type.tag();
    if (tag != null && result.members().get(tag.name()) instanceof Json.Text(String value)) {
      Type.ObjectType added = type.caseOf(value);
      if (added != null) {
        members(added, given, at, result, known);
      }
    }
  }

  private Json value(Type type, Json given, Place at) throws OptionException {
    return switch (type) {
      case Type.Builtin builtin -> builtin(builtin, given, at);
      case Type.EnumType words -> word(words, given, at);
      case Type.ListType list -> {
        if (given instanceof Json.Array array) {
          yield elements(list, array.elements(), at);
        }
        throw OptionScalars.wrongType(at.full(), "array");
      }
      case Type.ObjectType object -> {
        if (given instanceof Json.Members members) {
          yield members(object, members, at);
        }
        throw OptionScalars.wrongType(at.full(), "object");
      }
      case Type.AlternateType alternate -> {
        Type.Member branch = branch(alternate, given);
        if (branch == null) {
          throw OptionScalars.wrongType(at.alone(), alternate.name());
        }
        yield value(branch.type(), given, at);
      }
    };
  }

  private Json elements(Type.ListType list, List<Json> elements, Place at) throws OptionException {
    Json.Array result = new Json.Array();
    for (int i = 0; i < elements.size(); i++) {
      result.add(value(list.element(), elements.get(i), at.element(i, style)));
    }
    return result;
  }

  private Json word(Type.EnumType words, Json given, Place at) throws OptionException {
    String word = OptionScalars.string(style, scalar(given, at), at.full());
    if (!words.has(word)) {
      throw new OptionException(
          "Parameter '" + at.alone() + "' does not accept value '" + word + "'");
    }
    return new Json.Text(word);
  }

  /** In texts of command lines something below a scalar's name is told as such. */
  private Json scalar(Json given, Place at) throws OptionException {
    if (style == Style.KEY_VALUE && !(given instanceof Json.Scalar)) {
      throw new OptionException("Parameters '" + at.full() + ".*' are unexpected");
    }
    return given;
  }

  private Json builtin(Type.Builtin type, Json given, Place at) throws OptionException {
    if (type == Type.Builtin.ANY) {
      return given;
    }
    Json value = scalar(given, at);
    String full = at.full();
    return switch (type) {
      case STR -> new Json.Text(OptionScalars.string(style, value, full));
      case BOOL -> new Json.Bool(OptionScalars.bool(style, value, full));
      case NUMBER -> {
        double number = OptionScalars.number(style, value, full);
        yield style == Style.TYPED ? value : new Json.Real(number);
      }
      case NULL -> {
        if (value instanceof Json.Null) {
          yield value;
        }
        throw OptionScalars.wrongType(full, "null");
      }
      case INT, INT64 -> signed(value, Long.SIZE, at);
      case INT8 -> signed(value, Byte.SIZE, at);
      case INT16 -> signed(value, Short.SIZE, at);
      case INT32 -> signed(value, Integer.SIZE, at);
      case UINT8 -> unsigned(value, Byte.SIZE, at);
      case UINT16 -> unsigned(value, Short.SIZE, at);
      case UINT32 -> unsigned(value, Integer.SIZE, at);
      case UINT64 -> unsigned(value, Long.SIZE, at);
      case SIZE -> whole(OptionScalars.size(style, value, full));
      case ANY -> value;
    };
  }

  private Json signed(Json value, int bits, Place at) throws OptionException {
    long number = OptionScalars.int64(style, value, at.full());
    return new Json.Whole(OptionScalars.signed(number, bits, at.alone()));
  }

  private Json unsigned(Json value, int bits, Place at) throws OptionException {
    long number = OptionScalars.uint64(style, value, at.full());
    return whole(OptionScalars.unsigned(number, bits, at.alone()));
  }

  private static Json whole(long unsigned) {
    return unsigned < 0 ? new Json.Unsigned(unsigned) : new Json.Whole(unsigned);
  }

  /** The branch for a kind of value, or null. */
  private static Type.@Nullable Member branch(Type.AlternateType alternate, Json given) {
    for (Type.Member branch : alternate.branches()) {
      if (fits(branch.type(), given)) {
        return branch;
      }
    }
    return null;
  }

  private static boolean fits(Type type, Json given) {
    return switch (given) {
      case Json.Text _ -> type == Type.Builtin.STR || type instanceof Type.EnumType;
      case Json.Null _ -> type == Type.Builtin.NULL;
      case Json.Bool _ -> type == Type.Builtin.BOOL;
      case Json.Whole _, Json.Unsigned _ ->
          type instanceof Type.Builtin builtin
              && (builtin.jsonType().equals("int") || builtin == Type.Builtin.NUMBER);
      case Json.Real _ -> type == Type.Builtin.NUMBER;
      case Json.Array _ -> type instanceof Type.ListType;
      case Json.Members _ -> type instanceof Type.ObjectType;
    };
  }
}
