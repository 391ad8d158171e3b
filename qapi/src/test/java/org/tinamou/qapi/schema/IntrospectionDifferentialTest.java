package org.tinamou.qapi.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;

/** Introspection beside that of the reference: the same, whatever types are numbered. */
final class IntrospectionDifferentialTest {
  /** Commands of later versions than the one compared with, or that are ours. */
  private static final Set<String> NEWER_COMMANDS =
      Set.of(
          "block-job-change",
          "blockdev-set-active",
          "blockdev-replace",
          "x-query-blockstats-by-context");

  /** Members that came later, or are ours. */
  private static final Set<String> NEWER_MEMBERS =
      Set.of(
          "active",
          "allow-inactive",
          "backing-mask-protocol",
          "compression-level",
          "connections",
          "discard-no-unref",
          "discard-source",
          "handshake-max-seconds",
          "min-cluster-size",
          "target-is-zero");

  private static Map<String, Json.Members> byName(Json.Array entries) {
    Map<String, Json.Members> all = new HashMap<>();
    for (Json entry : entries.elements()) {
      Json.Members members = (Json.Members) entry;
      assertEquals(null, all.put(text(members, "name"), members), "listed twice");
    }
    return all;
  }

  private static String text(Json.Members members, String name) {
    return ((Json.Text) members.members().get(name)).value();
  }

  /** Goes through two descriptions at once. */
  private record Comparison(
      Map<String, Json.Members> ours, Map<String, Json.Members> theirs, Set<String> seen) {

    void types(String our, String their, String path) {
      if (!seen.add(our + " " + their)) {
        return;
      }
      Json.Members left = Objects.requireNonNull(ours.get(our), path);
      Json.Members right = Objects.requireNonNull(theirs.get(their), path);
      assertEquals(plain(right), plain(left), path);
      assertEquals(keys(right), keys(left), path);
      if (left.members().containsKey("element-type")) {
        types(text(left, "element-type"), text(right, "element-type"), path + "[]");
      }
      lists(left, right, "members", "name", path);
      lists(left, right, "variants", "case", path);
    }

    /** Members, variants or branches: the same names in the same order, and their types. */
    private void lists(Json.Members left, Json.Members right, String list, String key, String at) {
      List<Json.Members> our = known(left, right, list, key);
      List<Json.Members> their = elements(right, list);
      assertEquals(names(their, key), names(our, key), at);
      for (int i = 0; i < our.size(); i++) {
        Json.Members one = our.get(i);
        Json.Members other = their.get(i);
        assertEquals(keys(other), keys(one), at + " " + i);
        assertEquals(features(other), features(one), at + " " + i);
        if (one.members().containsKey("type")) {
          String path = at + "." + (one.members().containsKey(key) ? text(one, key) : i);
          types(text(one, "type"), text(other, "type"), path);
        }
      }
    }

    private static List<Json.Members> elements(Json.Members entry, String list) {
      List<Json.Members> all = new ArrayList<>();
      if (entry.members().get(list) instanceof Json.Array array) {
        array.elements().forEach(each -> all.add((Json.Members) each));
      }
      if (list.equals("variants")) {
        all.sort(Comparator.comparing(each -> text(each, "case"))); // their order says nothing
      }
      return all;
    }

    /** Ours without what is newer. */
    private static List<Json.Members> known(
        Json.Members left, Json.Members right, String list, String key) {
      List<String> their = names(elements(right, list), key);
      List<Json.Members> our = elements(left, list);
      our.removeIf(
          each ->
              each.members().get(key) instanceof Json.Text(String name)
                  && NEWER_MEMBERS.contains(name)
                  && !their.contains(name));
      return our;
    }

    private static List<String> names(List<Json.Members> list, String key) {
      return list.stream()
          .map(each -> each.members().get(key) instanceof Json.Text(String name) ? name : "")
          .toList();
    }

    private static Set<String> keys(Json.Members entry) {
      return entry.members().keySet();
    }

    private static String features(Json.Members entry) {
      Json features = entry.members().get("features");
      return features == null ? "" : JsonWriter.compact(features);
    }

    /** What names no type. */
    private static String plain(Json.Members entry) {
      Json.Members plain = new Json.Members();
      for (String key : List.of("meta-type", "json-type", "tag", "values", "features")) {
        Json value = entry.members().get(key);
        if (value != null) {
          plain.put(key, value);
        }
      }
      return JsonWriter.compact(plain);
    }
  }

  @Test
  void describesWhatTheReferenceDescribes() throws Exception {
    Json.Members reply =
        QmpPeer.answers(List.of(QmpPeer.command("query-qmp-schema", new Json.Members()))).get(0);
    Map<String, Json.Members> theirs = byName((Json.Array) reply.members().get("return"));
    Schema schema = Schema.load();
    Map<String, Json.Members> ours = byName(schema.introspect(name -> true));
    Comparison comparison = new Comparison(ours, theirs, new HashSet<>());
    int compared = 0;
    for (Json.Members our : ours.values()) {
      String name = text(our, "name");
      Json.Members their = theirs.get(name);
      if (!Set.of("command", "event").contains(text(our, "meta-type"))) {
        continue;
      }
      assertEquals(NEWER_COMMANDS.contains(name), their == null, name);
      if (their != null) {
        compared++;
        assertEquals(Comparison.keys(their), Comparison.keys(our), name);
        assertEquals(Comparison.plain(their), Comparison.plain(our), name);
        comparison.types(text(our, "arg-type"), text(their, "arg-type"), name);
        if (our.members().containsKey("ret-type")) {
          comparison.types(text(our, "ret-type"), text(their, "ret-type"), name + " reply");
        }
      }
    }
    assertTrue(compared >= 100, "few are compared: " + compared);
  }
}
