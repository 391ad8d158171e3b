package org.tinamou.testkit.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinamou.base.ClockType;
import org.tinamou.monitor.hmp.HumanCommand;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.testkit.net.Cut;
import org.tinamou.testkit.net.SimStream;

/** Sessions of people who leave at any time. */
final class HumanSessionTest {
  private static MonitorClient connect(MonitorHost host, HumanTable table) {
    List<SimStream> pair = host.simulation.network().pair();
    host.loop.spawn(
        "session", () -> host.monitors.serveHuman(pair.getLast(), table, new ArrayList<>()));
    return new MonitorClient(host.loop, pair.getFirst());
  }

  @Test
  void cutAtEveryByte() {
    String keys = "slow\nnope\n\nslow\n";
    for (Cut how : List.of(Cut.FIN, Cut.RESET)) {
      for (int at = 0; at <= keys.length(); at++) {
        int bytes = at;
        MonitorHost.simulate(
            at,
            host -> {
              int[] runs = new int[1];
              HumanTable table =
                  new HumanTable()
                      .add(
                          new HumanCommand(
                              "slow",
                              List.of(),
                              "",
                              "takes its time",
                              (given, out) -> {
                                host.loop.sleep(ClockType.REALTIME, 50_000);
                                out.append("run ").append(++runs[0]).append('\n');
                              }));
              MonitorClient client = connect(host, table);
              client.stream.cutAfter(bytes, how);
              client.read().send(keys);
              client.awaitEnd();
              client.close();
              assertTrue(runs[0] <= 2);
              if (how == Cut.FIN && bytes == keys.length()) {
                assertEquals(2, runs[0]);
                assertTrue(client.text().endsWith("run 2\r\n(qemu) "), client::text);
              }
            });
      }
    }
  }
}
