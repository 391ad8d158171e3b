package org.tinamou.qapi.schema;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;

/**
 * Reads the text of schema files into definitions; names are resolved by {@link SchemaLinker}.
 *
 * <pre>{@code
 * # A comment. One that stands directly before a definition is its summary.
 * enum Color { red green blue[deprecated] }
 * struct Point { x: int, y: int, label?: str [unstable] }   # label may be left out
 * struct Pixel : Point { color: Color }                     # the members of Point come first
 * union Shape on kind {                                     # kind decides which case applies
 *   kind: ShapeKind
 *   case circle: Circle
 *   case line, arrow: { data: Line }
 * }
 * alternate ShapeRef { definition: Shape, reference: str }
 * command shape-add(Shape) -> ShapeInfo [unstable]          # arguments: members of a type ...
 * command shape-list(kind?: ShapeKind) -> [ShapeInfo] oob   # ... or members in place
 * event SHAPE_GONE(id: str)
 * }</pre>
 *
 * Commas are white space. Words in brackets behind a name are features; {@code [T]} as a type is a
 * list.
 */
final class SchemaText {
  /** Members as written. */
  record MemberText(String name, TypeText type, boolean optional, List<String> features) {}

  /** A type as written: a name, a list of such, or members in place. */
  sealed interface TypeText {
    record Named(String name) implements TypeText {}

    record ListOf(TypeText element) implements TypeText {}

    record Inline(List<MemberText> members) implements TypeText {}
  }

  record CaseText(List<String> tagValues, TypeText type) {}

  /** A definition as written. */
  sealed interface Definition {
    String name();

    List<String> features();

    record EnumText(String name, List<String> features, List<Type.EnumType.Value> values)
        implements Definition {}

    record ObjectText(
        String name,
        List<String> features,
        @Nullable String base,
        @Nullable String tag,
        List<MemberText> members,
        List<CaseText> cases)
        implements Definition {}

    record AlternateText(String name, List<String> features, List<MemberText> branches)
        implements Definition {}

    record CommandText(
        String name,
        List<String> features,
        TypeText arguments,
        @Nullable TypeText reply,
        boolean outOfBand,
        String summary)
        implements Definition {}

    record EventText(String name, List<String> features, TypeText data, String summary)
        implements Definition {}
  }

  private final String file;
  private final String text;
  private int position;
  private final StringBuilder comment = new StringBuilder();

  private SchemaText(String file, String text) {
    this.file = file;
    this.text = text;
  }

  /**
   * All definitions of a text.
   *
   * @param file what messages call it
   * @throws IllegalArgumentException naming file and line if it cannot be read
   */
  static List<Definition> read(String file, String text) {
    SchemaText reader = new SchemaText(file, text);
    List<Definition> all = new ArrayList<>();
    reader.skipSpace();
    while (reader.position < text.length()) {
      all.add(reader.definition());
    }
    return all;
  }

  private Definition definition() {
    String summary = comment.toString();
    String kind = word();
    String name = word();
    return switch (kind) {
      case "enum" -> new Definition.EnumText(name, features(), values());
      case "struct", "union" -> object(name);
      case "alternate" -> {
        List<String> features = features();
        expect('{');
        yield new Definition.AlternateText(name, features, members('}'));
      }
      case "command" -> command(name, summary);
      case "event" -> {
        TypeText data = arguments();
        yield new Definition.EventText(name, features(), data, summary);
      }
      default -> throw wrong("a definition cannot start with '" + kind + "'");
    };
  }

  private Definition command(String name, String summary) {
    TypeText arguments = arguments();
    TypeText reply = null;
    if (accept('-')) {
      expect('>');
      reply = type();
    }
    List<String> features = features();
    boolean outOfBand = text.startsWith("oob", position) && word().equals("oob");
    return new Definition.CommandText(name, features, arguments, reply, outOfBand, summary);
  }

  /** {@code (TypeName)}, or members in place. */
  private TypeText arguments() {
    expect('(');
    int start = position;
    if (isWord(peek())) {
      String name = word();
      if (accept(')')) {
        return new TypeText.Named(name);
      }
      position = start;
    }
    return new TypeText.Inline(members(')'));
  }

  private List<Type.EnumType.Value> values() {
    List<Type.EnumType.Value> values = new ArrayList<>();
    expect('{');
    while (!accept('}')) {
      String value = word();
      values.add(new Type.EnumType.Value(value, features()));
    }
    return values;
  }

  private Definition object(String name) {
    String base = accept(':') ? word() : null;
    String tag = null;
    if (peek() == 'o') {
      Check.argument(word().equals("on"), "%s: '%s' has a stray word", file, name);
      tag = word();
    }
    List<String> features = features();
    expect('{');
    List<MemberText> members = new ArrayList<>();
    List<CaseText> cases = new ArrayList<>();
    while (!accept('}')) {
      String word = word();
      if (word.equals("case") && isWord(peek())) {
        cases.add(caseText());
      } else {
        members.add(member(word));
      }
    }
    return new Definition.ObjectText(name, features, base, tag, members, cases);
  }

  private CaseText caseText() {
    List<String> values = new ArrayList<>();
    do {
      values.add(word());
    } while (!accept(':'));
    return new CaseText(values, type());
  }

  private List<MemberText> members(char end) {
    List<MemberText> members = new ArrayList<>();
    while (!accept(end)) {
      members.add(member(word()));
    }
    return members;
  }

  private MemberText member(String name) {
    boolean optional = accept('?');
    expect(':');
    TypeText type = type();
    return new MemberText(name, type, optional, features());
  }

  private TypeText type() {
    if (accept('[')) {
      TypeText element = type();
      expect(']');
      return new TypeText.ListOf(element);
    }
    if (accept('{')) {
      return new TypeText.Inline(members('}'));
    }
    return new TypeText.Named(word());
  }

  private List<String> features() {
    if (!accept('[')) {
      return List.of();
    }
    List<String> features = new ArrayList<>();
    while (!accept(']')) {
      features.add(word());
    }
    return features;
  }

  // ------------------------------------------------------------------------------------- tokens

  private char peek() {
    return position < text.length() ? text.charAt(position) : 0;
  }

  private static boolean isWord(char character) {
    return (character >= 'a' && character <= 'z')
        || (character >= 'A' && character <= 'Z')
        || (character >= '0' && character <= '9')
        || character == '_';
  }

  private String word() {
    int start = position;
    while (isWord(peek()) || (peek() == '-' && position > start)) {
      position++;
    }
    if (start == position) {
      throw wrong("a word is expected");
    }
    String word = text.substring(start, position);
    skipSpace();
    return word;
  }

  private boolean accept(char character) {
    if (peek() != character) {
      return false;
    }
    position++;
    skipSpace();
    return true;
  }

  private void expect(char character) {
    if (!accept(character)) {
      throw wrong("'" + character + "' is expected");
    }
  }

  /** Leaves in {@link #comment} the comment that ends on the line above, if there is one. */
  private void skipSpace() {
    comment.setLength(0);
    int lineEnds = 0;
    while (position < text.length()) {
      char character = text.charAt(position);
      if (character == '#') {
        int end = text.indexOf('\n', position);
        end = end < 0 ? text.length() : end;
        comment.append(comment.isEmpty() ? "" : " ");
        comment.append(text.substring(position + 1, end).strip());
        position = end;
        lineEnds = 0;
      } else if (character == '\n') {
        position++;
        if (++lineEnds > 1) {
          comment.setLength(0);
        }
      } else if (character == ' ' || character == ',') {
        position++;
      } else {
        return;
      }
    }
  }

  private IllegalArgumentException wrong(String message) {
    long line = text.substring(0, position).chars().filter(c -> c == '\n').count() + 1;
    return new IllegalArgumentException(file + ":" + line + ": " + message);
  }
}
