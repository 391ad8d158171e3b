package org.tinamou.qapi.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tinamou.base.SeededRandom;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.OptionException;

/** Random arguments, of which something is always wrong, refused by us and by the reference. */
final class InputDifferentialTest {
  private static final int COMMANDS = 4000;

  /** Commands whose arguments the reference does not read by its schema, or that it lacks. */
  private static final Set<String> LEFT_OUT =
      Set.of(
          "device_add",
          "block-job-change",
          "blockdev-set-active",
          "blockdev-replace",
          "x-query-blockstats-by-context");

  private static String refusal(Json.Members answer) {
    return answer.members().get("error") instanceof Json.Members error
        ? ((Json.Text) error.members().get("desc")).value()
        : "accepted";
  }

  private static String refusal(CommandSchema command, Json.Members arguments) {
    try {
      command.check(arguments);
      return "accepted";
    } catch (OptionException e) {
      return e.getMessage();
    }
  }

  @Test
  void refusesAsTheReferenceDoes() throws Exception {
    List<CommandSchema> all = new ArrayList<>(Schema.load().commands());
    all.removeIf(command -> LEFT_OUT.contains(command.name()));
    SeededRandom random = new SeededRandom(7);
    RandomArguments arguments = new RandomArguments(random);
    List<CommandSchema> chosen = new ArrayList<>();
    List<Json.Members> sent = new ArrayList<>();
    for (int i = 0; i < COMMANDS; i++) {
      CommandSchema command = all.get(random.nextInt(all.size()));
      chosen.add(command);
      sent.add(QmpPeer.command(command.name(), arguments.of(command)));
    }
    List<Json.Members> answers = QmpPeer.answers(sent);
    for (int i = 0; i < COMMANDS; i++) {
      Json.Members given = (Json.Members) sent.get(i).members().get("arguments");
      String ours = refusal(chosen.get(i), given);
      String what = chosen.get(i).name() + " " + JsonWriter.compact(given);
      assertEquals(refusal(answers.get(i)), ours, what);
    }
  }
}
