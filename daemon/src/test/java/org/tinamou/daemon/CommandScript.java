package org.tinamou.daemon;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Parsed;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.CommandTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.MemberOrder;
import org.tinamou.qapi.schema.CommandSchema;
import org.tinamou.qapi.schema.Schema;

/** Carries commands out in a daemon of its own, and writes down what a monitor would be told. */
public final class CommandScript {
  private static final Schema SCHEMA = Schema.load();

  /** Before an event's name, and perhaps a status: waits for it, told since the last command. */
  static final String UNTIL = "@until ";

  private CommandScript() {}

  /** Waits for events on the main loop. */
  private static final class EventWaiter {
    private final List<String> told = new ArrayList<>();
    private final CoQueue changes = new CoQueue("event");

    void forget() {
      told.clear();
    }

    void told(String name, Json.Members data) {
      told.add(name);
      if (data.members().get("status") instanceof Json.Text(String status)) {
        told.add(name + " " + status);
      }
      changes.wakeAll();
    }

    void await(String wanted) {
      while (!told.contains(wanted)) {
        changes.awaitUnless(() -> told.contains(wanted));
      }
    }
  }

  /**
   * Runs commands, each {@code NAME} or {@code NAME ARGUMENTS}.
   *
   * @return one line for each event and each answer
   */
  public static List<String> run(List<String> commands) throws Exception {
    List<String> lines = new ArrayList<>();
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "script",
          () -> {
            Daemon daemon = new Daemon(main, (name, polling) -> loop(host, main, name, polling));
            CommandTable table =
                new CommandTable(
                    (name, arguments) -> {
                      CommandSchema known = SCHEMA.command(name);
                      return known == null ? arguments : known.check(arguments);
                    });
            daemon.commands().forEach(table::add);
            EventWaiter waiter = new EventWaiter();
            daemon
                .events()
                .tellTo(
                    (name, data) -> {
                      lines.add(event(name, data));
                      waiter.told(name, data);
                    });
            for (String command : commands) {
              if (command.startsWith(UNTIL)) {
                waiter.await(command.substring(UNTIL.length()));
              } else {
                waiter.forget();
                lines.add(answer(table, command));
              }
            }
            daemon.close();
            return 0;
          });
    }
    return lines;
  }

  private static LoopStarter.Loop loop(
      LoopHost host, AioContext main, String name, BusyPolling polling) {
    IoThread thread = main.callBlocking(() -> host.startIoThread(name, polling));
    return new LoopStarter.Loop() {
      @Override
      public AioContext context() {
        return thread.context();
      }

      @Override
      public void close() {
        main.callBlocking(
            () -> {
              thread.close();
              return true;
            });
      }
    };
  }

  private static String event(String name, Json.Members data) {
    return JsonWriter.compact(
        MemberOrder.sorted(new Json.Members().put("event", name).put("data", data)));
  }

  private static String answer(CommandTable table, String command) {
    int space = command.indexOf(' ');
    String name = space < 0 ? command : command.substring(0, space);
    Json.Members arguments = new Json.Members();
    if (space > 0
        && JsonParser.parse(command.substring(space))
            instanceof Parsed.Value<Json>(Json.Members given)) {
      arguments = given;
    }
    Json answer;
    try {
      answer = new Json.Members().put("return", table.run(name, arguments, CommandContext.NONE));
    } catch (CommandException e) {
      answer =
          new Json.Members()
              .put(
                  "error",
                  new Json.Members()
                      .put("class", e.errorClass().wireName())
                      .put("desc", String.valueOf(e.getMessage())));
    } catch (RuntimeException e) {
      java.io.StringWriter text = new java.io.StringWriter();
      e.printStackTrace(new java.io.PrintWriter(text));
      return "FAILED " + text;
    }
    return JsonWriter.compact(MemberOrder.sorted(answer));
  }

  /** Commands from the standard input, answers to the standard output. */
  public static void main(String[] arguments) throws Exception {
    List<String> commands =
        new java.io.BufferedReader(new java.io.InputStreamReader(System.in))
            .lines()
            .filter(line -> !line.isBlank() && !line.startsWith("#"))
            .toList();
    int[] index = new int[1];
    for (String line : run(commands)) {
      System.out.println("<- " + line);
    }
  }
}
