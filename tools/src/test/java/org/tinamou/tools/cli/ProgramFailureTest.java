package org.tinamou.tools.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.tools.OtherJvm;

/** A program whose code fails says so and ends. */
final class ProgramFailureTest {
  /** Fails, and then never comes to the end of its closing. */
  static final class Stuck implements Tool {
    public static void main(String[] arguments) {
      System.exit(ToolMain.run(new Stuck(), "stuck", arguments));
    }

    @Override
    public int run(Console console, List<String> arguments) throws ToolException {
      return LoopRunner.runWithLoops("stuck", (_, _) -> runInLoop(console));
    }

    @InCoroutine
    private static int runInLoop(Console console) throws ToolException {
      int exitCode = ProgramFailure.watch(console, 0, Stuck::fail);
      while (exitCode != 0) {
        Coroutine.suspend("what never comes");
      }
      return exitCode;
    }

    private static int fail() {
      throw new IllegalStateException("directed");
    }
  }

  /** Fails where nobody looks after it. */
  static final class Unwatched implements Tool {
    public static void main(String[] arguments) {
      Thread.ofPlatform().start(() -> stayForEver(Thread.currentThread()));
      System.exit(ToolMain.run(new Unwatched(), "unwatched", arguments));
    }

    private static void stayForEver(Thread self) {
      while (self.isAlive()) {
        java.util.concurrent.locks.LockSupport.park();
      }
    }

    @Override
    public int run(Console console, List<String> arguments) throws ToolException {
      return LoopRunner.run(
          "unwatched",
          _ -> {
            throw new IllegalStateException("directed");
          });
    }
  }

  @Test
  void aFailedProgramEndsThoughItsClosingDoesNot() throws IOException, InterruptedException {
    OtherJvm ended = OtherJvm.run(Stuck.class);
    assertEquals(1, ended.exitCode(), ended.output());
    String first = "stuck: Internal error: java.lang.IllegalStateException: directed\n";
    assertTrue(ended.output().startsWith(first), ended.output());
    assertTrue(ended.output().contains("ProgramFailureTest$Stuck.fail"), ended.output());
    String last = "stuck: not everything came to its end in time\n";
    assertTrue(ended.output().endsWith(last), ended.output());
  }

  @Test
  void whateverThreadIsLeftAFailedToolEnds() throws IOException, InterruptedException {
    OtherJvm ended = OtherJvm.run(Unwatched.class);
    assertEquals(1, ended.exitCode(), ended.output());
    String first = "unwatched: Internal error: java.lang.IllegalStateException: directed\n";
    assertTrue(ended.output().startsWith(first), ended.output());
  }
}
