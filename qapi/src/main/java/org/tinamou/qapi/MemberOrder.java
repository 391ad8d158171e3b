package org.tinamou.qapi;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * The order in which the reference keeps the members of an object: that of a hash table. Scripts
 * compare whole lines of its output, so replies and {@code json:} file names are written in it.
 */
public final class MemberOrder {
  private static final int BUCKETS = 512;

  private MemberOrder() {}

  /** Names in the reference's order, given the order in which they were put. */
  public static List<String> sorted(Iterable<String> namesAsPut) {
    List<String> names = new ArrayList<>();
    namesAsPut.forEach(names::add);
    // Of two names in one bucket the later one comes first; the sort is stable.
    Collections.reverse(names);
    names.sort((left, right) -> Integer.compare(bucket(left), bucket(right)));
    return names;
  }

  /** A value with the members of all its objects in the reference's order. */
  public static Json sorted(Json value) {
    // No switch over types: linking one takes longer than all else that commands do with JSON.
    if (value instanceof Json.Members members) {
      Json.Members result = new Json.Members();
      Map<String, Json> all = members.members();
      for (String name : sorted(all.keySet())) {
        Json member = all.get(name);
        if (member != null) {
          result.put(name, sorted(member));
        }
      }
      return result;
    }
    if (value instanceof Json.Array array) {
      Json.Array result = new Json.Array();
      array.elements().forEach(element -> result.add(sorted(element)));
      return result;
    }
    return value;
  }

  private static int bucket(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int hash = 0x238F13AF * bytes.length;
    for (int i = 0; i < bytes.length; i++) {
      hash += (bytes[i] & 0xff) << (i * 5 % 24);
    }
    return (1103515243 * hash + 12345) & (BUCKETS - 1);
  }
}
