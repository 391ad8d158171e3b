package org.tinamou.base;

/**
 * What a parser of foreign bytes returns: a value, or where and why there is none. Bad input is an
 * expected result, so it is not an exception.
 */
public sealed interface Parsed<T> {
  /** A well-formed value. */
  record Value<T>(T value) implements Parsed<T> {}

  /**
   * Input that breaks its format.
   *
   * @param field the name of the offending field or position
   * @param message what is wrong with it, for a person
   */
  record Malformed<T>(String field, String message) implements Parsed<T> {}
}
