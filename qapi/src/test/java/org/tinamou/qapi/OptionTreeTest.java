package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.base.SeededRandom;

final class OptionTreeTest {
  private static String parsed(String text) throws OptionException {
    return JsonWriter.compact(OptionTree.parse(text, "driver").options()).replace('"', '\'');
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          ``~{}
          driver=a~{'driver': 'a'}
          a~{'driver': 'a'}
          a.b,x=~{'driver': 'a.b', 'x': ''}
          a,x=1,~{'driver': 'a', 'x': '1'}
          x=1,,2,,,y=3~{'x': '1,2,', 'y': '3'}
          x=,,~{'x': ','}
          x=a=b,y==~{'x': 'a=b', 'y': '='}
          x=1,x=2~{'x': '2'}
          x.y=1,z=2,x.w.v=3~{'x': {'y': '1', 'w': {'v': '3'}}, 'z': '2'}
          x.1=b,x.0=a~{'x': ['a', 'b']}
          x.0.y=1,x.1.0=2,x.00.z=3~{'x': [{'z': '3'}, ['2']]}
          __com.redhat_foo.b=1~{'__com.redhat_foo': {'b': '1'}}
          a.__com.x_y=1,B-c_d=2~{'a': {'__com.x_y': '1'}, 'B-c_d': '2'}
          """)
  void trees(String text, String expected) throws OptionException {
    assertEquals(expected, parsed(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          ,~Invalid parameter ''
          =x~Invalid parameter ''
          a,,b~Invalid parameter ''
          x=1,y~Expected '=' after parameter 'y'
          a..b=1~Invalid parameter 'a..b'
          .a=1~Invalid parameter '.a'
          a.=1~Invalid parameter 'a.'
          1a=1~Invalid parameter '1a'
          a.1b=1~Invalid parameter 'a.1b'
          a b=1~Invalid parameter 'a b'
          0=1~Invalid parameter '0'
          _a=1~Invalid parameter '_a'
          __org=1~Invalid parameter '__org'
          __com.redhat=1~Invalid parameter '__com.redhat'
          a.-1=x~Invalid parameter 'a.-1'
          x=1,x.y=2~Parameters 'x.*' used inconsistently
          x.y=2,x=1~Parameters 'x.*' used inconsistently
          a.b=1,a.b.c=2~Parameters 'a.b.*' used inconsistently
          a.0=1,a.b=2~Parameters 'a.*' used inconsistently
          a.0=x,a.2=y~Parameter 'a.1' missing
          a.1=x~Parameter 'a.0' missing
          a.b.1=x~Parameter 'a.b.0' missing
          a.4294967296=x~Parameter 'a.0' missing
          """)
  void messages(String text, String expected) {
    OptionException refused =
        assertThrows(OptionException.class, () -> OptionTree.parse(text, "driver"));
    assertEquals(expected, refused.getMessage());
  }

  @Test
  void namesAreBounded() throws OptionException {
    String longest = "a".repeat(127);
    assertEquals("{'" + longest + "': '1'}", parsed(longest + "=1"));
    String tooLong = "a".repeat(128);
    assertEquals(
        "Parameter '" + tooLong + "' is too long",
        assertThrows(OptionException.class, () -> parsed(tooLong + "=1")).getMessage());
    assertEquals(
        "Parameter fragment '" + tooLong + "' is too long",
        assertThrows(OptionException.class, () -> parsed("b." + tooLong + "=1")).getMessage());
  }

  @Test
  void helpIsNoticed() throws OptionException {
    assertTrue(OptionTree.parse("help", "driver").asksForHelp());
    assertTrue(OptionTree.parse("driver=a,?", "driver").asksForHelp());
    assertEquals("{'help': '1'}", parsed("help=1"));
  }

  /** A random tree that the flat forms can express. */
  private static Json.Members tree(SeededRandom random, int depth) {
    Json.Members members = new Json.Members();
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      members.put("k" + random.nextInt(9), value(random, depth));
    }
    return members;
  }

  private static Json value(SeededRandom random, int depth) {
    switch (random.nextInt(depth == 0 ? 1 : 3)) {
      case 0 -> {
        return new Json.Text(RandomJson.text(random));
      }
      case 1 -> {
        Json.Array array = new Json.Array();
        for (int i = 1 + random.nextInt(12); i > 0; i--) {
          array.add(value(random, depth - 1));
        }
        return array;
      }
      default -> {
        return tree(random, depth - 1);
      }
    }
  }

  @Test
  void allFormsSayTheSame() throws OptionException {
    SeededRandom random = new SeededRandom(3);
    for (int i = 0; i < 1000; i++) {
      Json.Members tree = tree(random, 3);
      String shown = JsonWriter.compact(tree);
      String written = OptionTree.write(tree);
      assertEquals(shown, JsonWriter.compact(OptionTree.parse(written, null).options()), written);
      Map<String, Json> flat = OptionTree.flatten(tree);
      assertEquals(shown, JsonWriter.compact(OptionTree.nest(flat)));
    }
  }

  @Test
  void emptyObjectsAndListsKeepTheirName() throws OptionException {
    Json.Members tree =
        new Json.Members()
            .put("a", new Json.Members())
            .put("b", new Json.Members().put("c", new Json.Array()).put("d", 5));
    Map<String, Json> flat = OptionTree.flatten(tree);
    assertEquals("[a, b.c, b.d]", flat.keySet().toString());
    assertEquals(JsonWriter.compact(tree), JsonWriter.compact(OptionTree.nest(flat)));
    assertEquals("b.d=5", OptionTree.write(tree));
  }

  @Test
  void namesThatAreBothValueAndPrefixCannotBeNested() {
    Map<String, Json> flat = new LinkedHashMap<>();
    flat.put("size", new Json.Whole(1));
    flat.put("size.x", new Json.Whole(2));
    assertEquals(
        "Parameters 'size.*' used inconsistently",
        assertThrows(OptionException.class, () -> OptionTree.nest(flat)).getMessage());
  }

  /** As the reference echoed these names. */
  @Test
  void membersComeInTheReferencesOrder() {
    assertEquals(
        "[micro, minor, major]",
        MemberOrder.sorted(java.util.List.of("major", "minor", "micro")).toString());
    assertEquals(
        "{\"children\": [{\"driver\": \"null-co\"}], \"driver\": \"quorum\","
            + " \"vote-threshold\": \"1\"}",
        JsonWriter.compact(
            MemberOrder.sorted(
                new Json.Members()
                    .put("vote-threshold", "1")
                    .put("driver", "quorum")
                    .put(
                        "children",
                        new Json.Array().add(new Json.Members().put("driver", "null-co"))))));
  }
}
