package org.tinamou.testkit.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.base.ClockType;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.testkit.net.Cut;

/** What clients of a monitor can rely on, whatever the order of things. */
final class QmpSessionTest {
  private static Json.Members parse(String line) {
    return (Json.Members) ((Parsed.Value<Json>) JsonParser.parse(line)).value();
  }

  private static String echo(String id) {
    return "{'execute':'echo','arguments':{'text':'" + id + "'},'id':'" + id + "'}";
  }

  @Test
  void compactAndPrettyTextEndWithCarriageReturns() {
    MonitorHost.simulate(
        1,
        host -> {
          MonitorClient plain = host.connect(false).read();
          plain.negotiate().send(echo("a")).awaitLines(3);
          assertEquals(
              """
              {"QMP": {"version": {"package": "test"}, "capabilities": ["oob"]}}\r
              {"return": {}}\r
              {"return": "a", "id": "a"}\r
              """,
              plain.text());
          MonitorClient pretty = host.connect(true).read();
          pretty.negotiate().awaitLines(12);
          assertEquals(
              """
              {\r
                  "QMP": {\r
                      "version": {\r
                          "package": "test"\r
                      },\r
                      "capabilities": [\r
                          "oob"\r
                      ]\r
                  }\r
              }\r
              {\r
                  "return": {\r
                  }\r
              }\r
              """,
              pretty.text());
          plain.close();
          pretty.close();
        });
  }

  @Test
  void failuresHaveTheirClassAndNoHint() {
    MonitorHost.simulate(
        2,
        host -> {
          MonitorClient client = host.connect(false).read().negotiate();
          client.send("{'execute':'fail','id':1}{'execute':'refuse'}{'execute':'none','id':2}");
          List<String> lines = client.awaitLines(5);
          assertEquals(
              List.of(
                  "{\"id\": 1, \"error\": {\"class\": \"GenericError\", \"desc\": \"it failed\"}}",
                  "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Parameter 'x' is"
                      + " missing\"}}",
                  "{\"id\": 2, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command"
                      + " none has not been found\"}}"),
              lines.subList(2, 5));
          client.close();
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("I21: one answer for each command, with its id, in the order of the commands")
  void everyCommandHasOneAnswer(boolean outOfBand) {
    for (int seed = 0; seed < 25; seed++) {
      MonitorHost.simulate(
          seed,
          host -> {
            List<MonitorClient> clients = new ArrayList<>();
            int count = 40;
            for (int i = 0; i < 3; i++) {
              MonitorClient client = host.connect(i == 1).read();
              clients.add(client);
              host.loop.spawn(
                  "sender",
                  () -> {
                    if (outOfBand) {
                      client.negotiateOutOfBand();
                    } else {
                      client.negotiate();
                    }
                    for (int id = 0; id < count; id++) {
                      String command = host.simulation.random().chance(1, 2) ? "slow" : "echo";
                      client.send(
                          "{'execute':'"
                              + command
                              + "','arguments':{'text':'t'},'id':"
                              + id
                              + "}\n");
                    }
                  });
            }
            for (MonitorClient client : clients) {
              while (client.text().split("\"id\": ", -1).length <= count) {
                host.loop.sleep(ClockType.REALTIME, 100_000);
              }
              String[] parts = client.text().split("\"id\": ", -1);
              assertEquals(count + 1, parts.length);
              for (int id = 0; id < count; id++) {
                assertTrue(
                    parts[id + 1].startsWith(id + "}") || parts[id + 1].startsWith(id + "\r"));
              }
              client.close();
            }
            assertEquals(3 * count, host.carriedOut.size());
          });
    }
  }

  @Test
  @DisplayName("M1: a client that goes while its queue is full leaves the next one a free monitor")
  void fullQueueOfLostClient() {
    for (int seed = 0; seed < 20; seed++) {
      MonitorHost.simulate(
          seed,
          host -> {
            MonitorClient lost = host.connect(false).read().negotiateOutOfBand();
            lost.send("{'execute':'wait'}");
            for (int i = 0; i < 30; i++) {
              lost.send(echo("lost"));
            }
            lost.awaitLines(2);
            host.loop.sleep(ClockType.REALTIME, 1_000_000);
            lost.stream.reset();
            lost.close();
            MonitorClient next = host.connect(false).read().negotiate().send(echo("next"));
            host.loop.sleep(ClockType.REALTIME, 1_000_000);
            host.openGate();
            List<String> lines = next.awaitLines(3);
            assertEquals("{\"return\": \"next\", \"id\": \"next\"}", lines.get(2));
            assertEquals(List.of("next"), host.carriedOut);
            next.close();
          });
    }
  }

  @Test
  void queueHoldsEightAndNoMore() {
    MonitorHost.simulate(
        7,
        host -> {
          MonitorClient client = host.connect(false).read().negotiateOutOfBand();
          client.awaitLines(2);
          client.send("{'execute':'wait','id':0}");
          for (int i = 1; i < 8; i++) {
            client.send(echo("" + i));
          }
          // The ninth does not get past the eight before it, although it is out of band.
          client.send("{'exec-oob':'open-gate','id':'oob'}");
          host.loop.sleep(ClockType.REALTIME, 10_000_000);
          assertEquals(2, client.lines().size());
          host.openGate();
          client.awaitLines(11);
          client.close();
        });
  }

  @Test
  void outOfBandCommandsGoFirst() {
    MonitorHost.simulate(
        8,
        host -> {
          MonitorClient client = host.connect(false).read().negotiateOutOfBand();
          client.send("{'execute':'wait','id':0}" + echo("1"));
          client.send("{'exec-oob':'echo','id':'no'}{'exec-oob':'open-gate','id':'oob'}");
          List<String> lines = client.awaitLines(6);
          assertEquals(
              List.of(
                  "{\"id\": \"no\", \"error\": {\"class\": \"GenericError\", \"desc\": \"The command"
                      + " echo does not support OOB\"}}",
                  "{\"return\": {}, \"id\": \"oob\"}",
                  "{\"return\": {}, \"id\": 0}",
                  "{\"return\": \"1\", \"id\": \"1\"}"),
              lines.subList(2, 6));
          client.close();
        });
  }

  @Test
  void commandsSentBeforeTheEndOfInputAreCarriedOut() {
    MonitorHost.simulate(
        9,
        host -> {
          MonitorClient client = host.connect(false).read().negotiate();
          StringBuilder all = new StringBuilder();
          for (int i = 0; i < 20; i++) {
            all.append(echo("" + i));
          }
          client.send(all.toString());
          client.stream.cutAfter(client.stream.written().length, Cut.FIN);
          assertEquals(22, client.awaitEnd().size());
          client.close();
        });
  }

  @Test
  @DisplayName(
      "a session that is cut at any byte leaves nothing, and each command ran at most once")
  void cutAtEveryByte() {
    String session =
        "{'execute':'qmp_capabilities','arguments':{'enable':['oob']}}"
            + "{'execute':'slow','arguments':{'text':'a'},'id':1}"
            + "{'exec-oob':'open-gate','id':2}"
            + "{'execute':'echo','arguments':{'text':'b'},'id':3}";
    for (Cut how : List.of(Cut.FIN, Cut.RESET)) {
      for (int at = 0; at <= session.length(); at++) {
        int bytes = at;
        MonitorHost.simulate(
            at,
            host -> {
              MonitorClient client = host.connect(false);
              client.stream.cutAfter(bytes, how);
              client.read().send(session);
              client.awaitEnd();
              client.close();
              assertTrue(host.carriedOut.size() <= 2);
              if (how == Cut.FIN && bytes == session.length()) {
                assertEquals(List.of("a", "b"), host.carriedOut);
              }
              // The monitor serves the next one.
              MonitorClient next = host.connect(false).read().negotiate();
              assertEquals(2, next.awaitLines(2).size());
              next.close();
            });
      }
    }
  }

  @Test
  @DisplayName("37, F15: who never reads holds a bounded number of events, the newest ones")
  void eventsForWhoNeverReads() {
    MonitorHost.simulate(
        10,
        host -> {
          MonitorClient deaf = host.connect(false).negotiate();
          MonitorClient good = host.connect(false).read().negotiate();
          good.awaitLines(2);
          host.loop.sleep(ClockType.REALTIME, 1_000_000);
          int count = 100_000;
          for (int i = 0; i < count; i++) {
            host.monitors.emit("BLOCK_JOB_READY", new Json.Members().put("number", i));
            if (i % 1000 == 0) {
              host.loop.sleep(ClockType.REALTIME, 100_000_000);
            }
          }
          assertTrue(host.monitors.outputBytes() <= 8 << 20, "unbounded output");
          good.awaitLines(2 + count);
          good.close();
          deaf.read();
          host.loop.sleep(ClockType.REALTIME, 3_000_000_000L);
          List<String> lines = deaf.lines();
          assertTrue(lines.size() < count, "nothing was dropped");
          Json.Members last = parse(lines.getLast());
          assertEquals(
              "99999",
              ((Json.Scalar) ((Json.Members) last.members().get("data")).members().get("number"))
                  .text());
          deaf.close();
        });
  }

  @Test
  @DisplayName("37: who does not read is served no further")
  void commandsOfWhoNeverReads() {
    MonitorHost.simulate(
        11,
        host -> {
          MonitorClient deaf = host.connect(false).negotiate();
          String text = "x".repeat(20_000);
          var sender =
              host.loop.spawn(
                  "sender",
                  () -> {
                    for (int i = 0; i < 200; i++) {
                      deaf.send(echo(text));
                    }
                  });
          host.loop.sleep(ClockType.REALTIME, 5_000_000_000L);
          assertFalse(sender.isEnded());
          assertTrue(host.carriedOut.size() < 60, () -> host.carriedOut.size() + " commands");
          deaf.read();
          assertEquals(202, deaf.awaitLines(202).size());
          deaf.close();
        });
  }

  @Test
  void someEventsComeOnceASecond() {
    MonitorHost.simulate(
        12,
        host -> {
          MonitorClient client = host.connect(false).read().negotiate();
          client.awaitLines(2);
          for (int i = 0; i < 25; i++) {
            for (String id : List.of("a", "b")) {
              host.monitors.emit("VSERPORT_CHANGE", new Json.Members().put("id", id).put("n", i));
            }
            host.loop.sleep(ClockType.REALTIME, 100_000_000);
          }
          host.loop.sleep(ClockType.REALTIME, 3_000_000_000L);
          List<String> numbers = new ArrayList<>();
          for (String line : client.lines().subList(2, client.lines().size())) {
            Json.Members data = (Json.Members) parse(line).members().get("data");
            numbers.add(
                ((Json.Text) data.members().get("id")).value()
                    + ((Json.Scalar) data.members().get("n")).text());
          }
          assertEquals(8, numbers.size(), numbers::toString);
          assertEquals(List.of("a0", "b0"), numbers.subList(0, 2));
          assertTrue(numbers.subList(6, 8).containsAll(List.of("a24", "b24")), numbers::toString);
          client.close();
        });
  }

  @Test
  @DisplayName("F15: a command of 8 MiB comes in big pieces")
  void longCommand() {
    MonitorHost.simulate(
        13,
        host -> {
          MonitorClient client = host.connect(false).read().negotiate();
          client.awaitLines(2);
          long before = host.simulation.steps();
          client.send("{'execute':'fail','arguments':{'text':'" + "y".repeat(8 << 20) + "'}}");
          assertTrue(client.awaitLines(3).get(2).contains("it failed"));
          long steps = host.simulation.steps() - before;
          assertTrue(steps < 40_000, () -> steps + " steps");
          client.close();
        });
  }
}
