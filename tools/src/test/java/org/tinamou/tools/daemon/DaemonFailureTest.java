package org.tinamou.tools.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.InCoroutine;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.cli.ToolException;

/** A daemon whose own code fails says so, closes what it has and ends. */
final class DaemonFailureTest {
  @TempDir private Path folder;

  /** The first loop is one, the second a fault. */
  private record Failing(LoopStarter loops, int[] count) implements LoopStarter {
    @Override
    @InCoroutine
    public Loop start(String name, BusyPolling polling) throws OptionException {
      if (count[0]++ > 0) {
        throw new IllegalStateException("directed");
      }
      return loops.start(name, polling);
    }
  }

  private record FailingDaemon(List<DaemonTool.Step> steps, String pidFile) implements Tool {
    @Override
    public int run(Console console, List<String> arguments) throws ToolException {
      return LoopRunner.runWithLoops(
          "storage daemon",
          (loops, main) ->
              new DaemonRun(new Failing(loops, new int[1]), main, console, steps, pidFile).run());
    }
  }

  private static DaemonTool.Step step(DaemonTool.Kind kind, String value) {
    return new DaemonTool.Step(kind, value);
  }

  @Test
  void anOptionThatFailsInsideEndsTheDaemon() {
    Path socket = folder.resolve("monitor");
    Path pid = folder.resolve("pid");
    List<DaemonTool.Step> steps =
        List.of(
            step(DaemonTool.Kind.OBJECT, "iothread,id=first"),
            step(DaemonTool.Kind.CHARDEV, "socket,id=c,server=on,wait=off,path=" + socket),
            step(DaemonTool.Kind.MONITOR, "c"),
            step(DaemonTool.Kind.BLOCKDEV, "driver=null-co,node-name=disk"),
            step(DaemonTool.Kind.NBD_SERVER, "addr.type=unix,addr.path=" + folder.resolve("nbd")),
            step(DaemonTool.Kind.EXPORT, "type=nbd,id=e,node-name=disk,iothread=first"),
            step(DaemonTool.Kind.OBJECT, "iothread,id=second"));
    ToolRun ended = ToolRun.run(new FailingDaemon(steps, pid.toString()), "daemon", "");
    assertEquals(1, ended.exitCode(), ended.err());
    String first = "daemon: Internal error: java.lang.IllegalStateException: directed\n";
    assertTrue(ended.err().startsWith(first), ended.err());
    assertFalse(Files.exists(pid));
    assertFalse(Files.exists(socket), "the monitor's socket is left");
  }
}
