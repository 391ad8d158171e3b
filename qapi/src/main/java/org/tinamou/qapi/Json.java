package org.tinamou.qapi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A JSON value. Objects keep the order in which members were put; integers are exact. */
public sealed interface Json {
  /** What consists of no other values. */
  sealed interface Scalar extends Json {
    /** A string itself, everything else as JSON has it; numbers with fractions as Java has them. */
    String text();
  }

  /** The null of JSON. */
  record Null() implements Scalar {
    @Override
    public String text() {
      return "null";
    }
  }

  /** true or false. */
  record Bool(boolean value) implements Scalar {
    @Override
    public String text() {
      return String.valueOf(value);
    }
  }

  /** A number without fraction. */
  record Whole(long value) implements Scalar {
    @Override
    public String text() {
      return Long.toString(value);
    }
  }

  /** A number that does not fit a signed 64-bit integer but an unsigned one. */
  record Unsigned(long bits) implements Scalar {
    @Override
    public String text() {
      return Long.toUnsignedString(bits);
    }
  }

  /** A finite number. */
  record Real(double value) implements Scalar {
    @Override
    public String text() {
      return Double.toString(value);
    }
  }

  /** A string. */
  record Text(String value) implements Scalar {
    @Override
    public String text() {
      return value;
    }
  }

  /** A list that is built by its owner and not changed afterwards. */
  final class Array implements Json {
    private final List<Json> elements = new ArrayList<>();

    public Array add(Json element) {
      elements.add(element);
      return this;
    }

    public List<Json> elements() {
      return elements;
    }
  }

  /** An object that is built by its owner and not changed afterwards. */
  final class Members implements Json {
    private final Map<String, Json> members = new LinkedHashMap<>();

    public Members put(String name, Json value) {
      members.put(name, value);
      return this;
    }

    public Members put(String name, String value) {
      return put(name, new Text(value));
    }

    public Members put(String name, long value) {
      return put(name, new Whole(value));
    }

    public Members put(String name, boolean value) {
      return put(name, new Bool(value));
    }

    public Map<String, Json> members() {
      return members;
    }
  }
}
