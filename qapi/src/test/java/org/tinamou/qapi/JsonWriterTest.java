package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class JsonWriterTest {
  private static final Json VALUE =
      new Json.Members()
          .put("virtual-size", 1048576)
          .put("name", "a\t\u0001\"\\\u007f\u00e9\ud83d\ude00/")
          .put("dirty", false)
          .put(
              "list",
              new Json.Array()
                  .add(new Json.Null())
                  .add(new Json.Unsigned(-1))
                  .add(new Json.Real(0.5))
                  .add(new Json.Members()));

  @Test
  void compact() {
    assertEquals(
        "{\"virtual-size\": 1048576, \"name\":"
            + " \"a\\t\\u0001\\\"\\\\\\u007F\\u00E9\\uD83D\\uDE00/\", \"dirty\": false,"
            + " \"list\": [null, 18446744073709551615, 0.5, {}]}",
        JsonWriter.compact(VALUE));
  }

  @Test
  void pretty() {
    assertEquals(
        """
        {
            "virtual-size": 1048576,
            "name": "a\\t\\u0001\\"\\\\\\u007F\\u00E9\\uD83D\\uDE00/",
            "dirty": false,
            "list": [
                null,
                18446744073709551615,
                0.5,
                {
                }
            ]
        }""",
        JsonWriter.pretty(VALUE));
  }
}
