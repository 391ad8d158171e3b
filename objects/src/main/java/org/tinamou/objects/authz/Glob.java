package org.tinamou.objects.authz;

/** Patterns of the shell for whole texts: star, question mark, sets in brackets, backslash. */
final class Glob {
  private Glob() {}

  static boolean matches(String pattern, String text) {
    int at = 0;
    int place = 0;
    int star = -1;
    int starPlace = 0;
    while (place < text.length()) {
      int length = at < pattern.length() ? one(pattern, at, text.charAt(place)) : 0;
      if (at < pattern.length() && pattern.charAt(at) == '*') {
        star = at++;
        starPlace = place;
      } else if (length > 0) {
        at += length;
        place++;
      } else if (star >= 0) {
        at = star + 1;
        place = ++starPlace;
      } else {
        return false;
      }
    }
    while (at < pattern.length() && pattern.charAt(at) == '*') {
      at++;
    }
    return at == pattern.length();
  }

  /** The length of the pattern's part that stands for the character, or 0 if it does not. */
  private static int one(String pattern, int at, char character) {
    char first = pattern.charAt(at);
    if (first == '?') {
      return 1;
    }
    if (first == '\\' && at + 1 < pattern.length()) {
      return pattern.charAt(at + 1) == character ? 2 : 0;
    }
    int end = first == '[' ? pattern.indexOf(']', at + 2) : -1;
    if (end < 0) {
      return first == character ? 1 : 0;
    }
    boolean negated = pattern.charAt(at + 1) == '!' || pattern.charAt(at + 1) == '^';
    boolean found = false;
    for (int i = negated ? at + 2 : at + 1; i < end; i++) {
      boolean range = i + 2 < end && pattern.charAt(i + 1) == '-';
      char last = pattern.charAt(range ? i + 2 : i);
      found |= pattern.charAt(i) <= character && character <= last;
      i += range ? 2 : 0;
    }
    return found == negated ? 0 : end + 1 - at;
  }
}
