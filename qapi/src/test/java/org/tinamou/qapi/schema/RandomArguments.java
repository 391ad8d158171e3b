package org.tinamou.qapi.schema;

import java.util.List;
import org.tinamou.base.SeededRandom;
import org.tinamou.qapi.Json;

/** Arguments that are mostly as the schema wants them, but for members that nobody knows. */
final class RandomArguments {
  private static final String[] UNKNOWN = {"z", "bogus", "no-such", "x-unknown", "q1", "Q", "a_b"};
  private static final int MAX_DEPTH = 4;

  private final SeededRandom random;
  private int mistakes;

  RandomArguments(SeededRandom random) {
    this.random = random;
  }

  /** Arguments that cannot be accepted. */
  Json.Members of(CommandSchema command) {
    mistakes = random.nextInt(3) == 0 ? 1 : 0;
    Json.Members given = object(command.arguments(), 0);
    for (int i = random.nextInt(5); i > 0; i--) {
      given.put(UNKNOWN[random.nextInt(UNKNOWN.length)], 1);
    }
    return given.put("unknown", 1);
  }

  private boolean mistake() {
    if (mistakes > 0 && random.nextInt(6) == 0) {
      mistakes--;
      return true;
    }
    return false;
  }

  private Json.Members object(Type.ObjectType type, int depth) {
    Json.Members result = new Json.Members();
    members(type, result, depth);
    if (mistake()) {
      result.put(UNKNOWN[random.nextInt(UNKNOWN.length)], "?");
      result.put(UNKNOWN[random.nextInt(UNKNOWN.length)], "?");
    }
    return result;
  }

  private void members(Type.ObjectType type, Json.Members result, int depth) {
    for (Type.Member member : type.members()) {
      boolean given = member.optional() ? depth < MAX_DEPTH && random.nextInt(3) == 0 : !mistake();
      boolean newer =
          member
              .name()
              .matches(
                  "active|.*inactive|.*-mask-.*|compression-level|.*nect"
                      + "ions|discard-[ns]o.*|handshake.*|min-cl.*|target-is.*");
      if (given && !(newer && member.optional() && !member.name().equals("max-connections"))) {
        result.put(member.name(), value(member.type(), depth + 1));
      }
    }
    Type.Member tag = type.tag();
    if (tag != null && result.members().get(tag.name()) instanceof Json.Text(String value)) {
      Type.ObjectType more = type.caseOf(value);
      if (more != null) {
        members(more, result, depth);
      }
    }
  }

  private Json value(Type type, int depth) {
    if (mistake()) {
      return other();
    }
    return switch (type) {
      case Type.Builtin builtin -> builtin(builtin);
      case Type.EnumType words ->
          new Json.Text(words.values().get(random.nextInt(words.values().size())).name());
      case Type.ListType list -> {
        Json.Array array = new Json.Array();
        for (int i = random.nextInt(3); i > 0 && depth < MAX_DEPTH; i--) {
          array.add(value(list.element(), depth + 1));
        }
        yield array;
      }
      case Type.ObjectType object -> object(object, depth);
      case Type.AlternateType alternate -> {
        List<Type.Member> branches = alternate.branches();
        int choice = random.nextInt(branches.size());
        // Deep down, what ends: the branch that is no object.
        yield value(branches.get(depth < MAX_DEPTH ? choice : branches.size() - 1).type(), depth);
      }
    };
  }

  private Json builtin(Type.Builtin type) {
    return switch (type) {
      case STR -> new Json.Text("text");
      case BOOL -> new Json.Bool(random.nextInt(2) == 0);
      case NULL -> new Json.Null();
      case NUMBER -> new Json.Real(1.5);
      case ANY -> other();
      default -> new Json.Whole(1 + random.nextInt(100));
    };
  }

  private Json other() {
    return switch (random.nextInt(12)) {
      case 0 -> new Json.Text("?");
      case 1 -> new Json.Bool(true);
      case 2 -> new Json.Null();
      case 3 -> new Json.Real(0.5);
      case 4 -> new Json.Whole(-1);
      case 5 -> new Json.Whole(1L << 40);
      case 6 -> new Json.Unsigned(-1);
      case 7 -> new Json.Array();
      case 8 -> new Json.Array().add(new Json.Text("x"));
      case 9 -> new Json.Array().add(new Json.Members().put("x", 1));
      case 10 -> new Json.Members();
      default -> new Json.Members().put("y", 1).put("x", 1);
    };
  }
}
