package org.tinamou.qapi.schema;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a value can be. Immutable once its schema is loaded. */
public sealed interface Type {
  /** As schema files and error messages call it; of a list {@code [element]}. */
  String name();

  /** The types that need no definition. Whole numbers differ in their range only. */
  enum Builtin implements Type {
    STR("str", "string"),
    NUMBER("number", "number"),
    INT("int", "int"),
    INT8("int8", "int"),
    INT16("int16", "int"),
    INT32("int32", "int"),
    INT64("int64", "int"),
    UINT8("uint8", "int"),
    UINT16("uint16", "int"),
    UINT32("uint32", "int"),
    UINT64("uint64", "int"),
    /** An unsigned number of bytes, with a suffix on command lines. */
    SIZE("size", "int"),
    BOOL("bool", "boolean"),
    NULL("null", "null"),
    /** Whatever JSON can say. */
    ANY("any", "value");

    private final String schemaName;
    private final String jsonType;

    Builtin(String schemaName, String jsonType) {
      this.schemaName = schemaName;
      this.jsonType = jsonType;
    }

    @Override
    public String toString() {
      return schemaName;
    }

    /** What introspection calls the kind of JSON value. */
    String jsonType() {
      return jsonType;
    }
  }

  /**
   * One of several words.
   *
   * @param features of the enumeration itself
   */
  record EnumType(String name, List<Value> values, List<String> features) implements Type {
    /** A word, and what is special about it, e.g. "deprecated". */
    public record Value(String name, List<String> features) {}

    /** Whether the word is one of them. */
    public boolean has(String word) {
      for (Value value : values) {
        if (value.name().equals(word)) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * Elements of one type.
   *
   * @param element the type of all elements
   */
  record ListType(Type element) implements Type {
    @Override
    public String name() {
      return "[" + element.name() + "]";
    }
  }

  /** An object: members in order, and further ones that the value of one of them, the tag, adds. */
  final class ObjectType implements Type {
    private final String name;
    private final List<String> features;
    private final List<Member> members = new ArrayList<>();
    private final List<Case> cases = new ArrayList<>();
    private @Nullable Member tag;

    ObjectType(String name, List<String> features) {
      this.name = name;
      this.features = features;
    }

    /** What a value of the tag adds; {@code type} is an object without members if it is nothing. */
    public record Case(String tagValue, ObjectType type) {}

    @Override
    public String name() {
      return name;
    }

    public List<String> features() {
      return features;
    }

    /** Those of the base first, then its own; not those of cases. */
    public List<Member> members() {
      return members;
    }

    /** The member that decides which case applies, or null if there are no cases. */
    public @Nullable Member tag() {
      return tag;
    }

    /** One for each value of the tag. */
    public List<Case> cases() {
      return cases;
    }

    /** What a value of the tag adds, or null if it has no such value. */
    public @Nullable ObjectType caseOf(String tagValue) {
      for (Case each : cases) {
        if (each.tagValue().equals(tagValue)) {
          return each.type();
        }
      }
      return null;
    }

    void define(List<Member> all, @Nullable Member theTag, List<Case> theCases) {
      members.addAll(all);
      tag = theTag;
      cases.addAll(theCases);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** A value of one of several types, told apart by the kind of JSON value that it is. */
  final class AlternateType implements Type {
    private final String name;
    private final List<String> features;
    private final List<Member> branches = new ArrayList<>();

    AlternateType(String name, List<String> features) {
      this.name = name;
      this.features = features;
    }

    @Override
    public String name() {
      return name;
    }

    public List<String> features() {
      return features;
    }

    /** The types it can have, each under a name that is not seen from outside. */
    public List<Member> branches() {
      return branches;
    }

    void define(List<Member> all) {
      branches.addAll(all);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * A member of an object.
   *
   * @param features what is special about it, e.g. "deprecated"
   */
  record Member(String name, Type type, boolean optional, List<String> features) {}
}
