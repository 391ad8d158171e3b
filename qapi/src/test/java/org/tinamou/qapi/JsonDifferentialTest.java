package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.tinamou.base.SeededRandom;

/** Random texts as {@code json:} file names, for us and for the reference. */
final class JsonDifferentialTest {
  private static final int TEXTS = 200;
  private static final Pattern REFUSAL =
      Pattern.compile("Could not parse the JSON options: (.*)", Pattern.DOTALL);

  @Test
  void refusesWhatTheReferenceRefuses() throws Exception {
    String qemuImg = Peers.require("qemu-img");
    SeededRandom random = new SeededRandom(1);
    for (int i = 0; i < TEXTS; i++) {
      String text = RandomJson.soup(random);
      String output = Peers.output(List.of(qemuImg, "info", "json:" + text)).stripTrailing();
      Matcher refusal = REFUSAL.matcher(output);
      String expected = refusal.find() ? refusal.group(1) : null;
      String ours = JsonParserTest.message(text);
      assertEquals(expected, ours == null ? null : ours.stripTrailing(), text);
    }
  }
}
