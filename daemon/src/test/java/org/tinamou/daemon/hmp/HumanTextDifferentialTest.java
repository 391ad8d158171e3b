package org.tinamou.daemon.hmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Parsed;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.CommandTable;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.schema.Schema;

/** The same replies make the same text as in the reference; the same lines the same commands. */
final class HumanTextDifferentialTest {
  @TempDir Path folder;

  private static String require(String program) {
    boolean installed =
        Stream.of(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(each -> Files.isExecutable(Path.of(each, program)));
    if (!installed) {
      Assertions.assertFalse(Boolean.getBoolean("tinamou.peers.required"), program);
      Assumptions.abort("LEFT OUT: " + program + " is not installed");
    }
    return program;
  }

  private String image(String name, String... arguments) throws Exception {
    String path = folder.resolve(name).toString();
    List<String> command = new ArrayList<>(List.of(require("qemu-img"), "create", "-q"));
    command.addAll(List.of(arguments));
    command.add(path);
    command.add("3M");
    assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
    return path;
  }

  /** The reference's machine, asked for replies and texts. */
  private static final class Reference implements AutoCloseable {
    private final Process process;
    private final BufferedReader in;
    private final OutputStream out;

    Reference(String... drives) throws Exception {
      List<String> command =
          new ArrayList<>(
              List.of(
                  require("qemu-system-x86_64"),
                  "-machine",
                  "none",
                  "-nodefaults",
                  "-display",
                  "none",
                  "-S",
                  "-qmp",
                  "stdio"));
      for (String drive : drives) {
        command.add("-drive");
        command.add(drive);
      }
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      in =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      out = process.getOutputStream();
      in.readLine();
      query("qmp_capabilities", new Json.Members());
    }

    Json query(String command, Json.Members arguments) throws IOException {
      Json.Members request = new Json.Members().put("execute", command).put("arguments", arguments);
      out.write((JsonWriter.compact(request) + "\n").getBytes(StandardCharsets.UTF_8));
      out.flush();
      String line;
      while ((line = in.readLine()) != null) {
        if (JsonParser.parse(line) instanceof Parsed.Value<Json>(Json.Members answer)) {
          Json result = answer.members().get("return");
          assertTrue(!answer.members().containsKey("error"), line);
          if (result != null) {
            return result;
          }
        }
      }
      throw new IOException("the reference has gone");
    }

    String human(String line) throws IOException {
      return ((Json.Text)
              query("human-monitor-command", new Json.Members().put("command-line", line)))
          .value()
          .replace("\r\n", "\n");
    }

    @Override
    public void close() throws Exception {
      process.destroyForcibly();
      process.waitFor(10, TimeUnit.SECONDS);
    }
  }

  /** Runs lines over commands that give the replies, and tells what was run. */
  private static List<String> run(
      Map<String, Json> replies, List<String> commandsRun, List<String> lines) throws Exception {
    CommandTable commands = new CommandTable(CommandTable.ArgumentCheck.NONE);
    Schema schema = Schema.load();
    schema
        .commands()
        .forEach(
            each ->
                commands.add(
                    each.name(),
                    (arguments, from) -> {
                      Json reply = replies.get(each.name());
                      if (reply == null) {
                        commandsRun.add(each.name() + " " + arguments.flat());
                      }
                      return reply == null ? new Json.Members() : reply;
                    }));
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        IoThread thread = host.startIoThread("main", BusyPolling.OFF)) {
      CharDevices devices = new CharDevices(thread.context(), notice -> {});
      HumanTable table = new HumanTable();
      HumanCommands.addTo(
          table,
          commands,
          schema,
          devices,
          (name, onlyDevice, command, _) -> {
            throw new CommandException(name + onlyDevice + command);
          });
      return thread
          .context()
          .submit("test", () -> lines.stream().map(line -> table.run(line).text()).toList())
          .get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void infoIsTheReferences() throws Exception {
    String below = image("below.qcow2", "-f", "qcow2");
    String above = image("above.qcow2", "-f", "qcow2", "-F", "qcow2", "-b", below);
    String luks =
        image("luks.qcow2", "-f", "qcow2", "-o", "cluster_size=4k,extended_l2=off,compat=0.10");
    assertEquals(
        0, new ProcessBuilder("qemu-img", "snapshot", "-c", "snap one", above).start().waitFor());
    String raw = image("raw", "-f", "raw");
    try (Reference reference =
        new Reference(
            "if=none,id=d0,file=" + above + ",cache=none,detect-zeroes=unmap,discard=unmap",
            "if=none,id=d1,format=raw,readonly=on,bps=1000,group=gg,file=" + raw,
            "if=none,id=cd,media=cdrom",
            "if=none,id=d2,cache=unsafe,node-name=xx,file=" + luks,
            "if=none,id=d3,cache=writethrough,driver=null-co,size=64k")) {
      List<String> queries =
          List.of(
              "query-block",
              "query-named-block-nodes",
              "query-blockstats",
              "query-block-jobs",
              "query-version",
              "query-status",
              "query-iothreads");
      Map<String, Json> replies = new java.util.HashMap<>();
      for (String query : queries) {
        replies.put(query, reference.query(query, new Json.Members()));
      }
      List<String> lines =
          List.of(
              "info block",
              "info block -v",
              "info block -n",
              "info block -n -v",
              "info block d1",
              "info block xx",
              "info block nope",
              "info blockstats",
              "info block-jobs",
              "info version",
              "info status",
              "info iothreads");
      List<String> ours = run(replies, new ArrayList<>(), lines);
      for (int i = 0; i < lines.size(); i++) {
        assertEquals(reference.human(lines.get(i)), ours.get(i), lines.get(i));
      }
    }
  }

  @Test
  void helpIsTheReferences() throws Exception {
    List<String> lines = new ArrayList<>();
    try (Reference reference = new Reference()) {
      for (String line :
          run(Map.of(), new ArrayList<>(), List.of("help", "info")).stream()
              .flatMap(String::lines)
              .filter(each -> each.contains(" -- "))
              .toList()) {
        String[] words = line.split("[ |]");
        lines.add("help " + words[0] + (words[0].equals("info") ? " " + words[1] : ""));
      }
      lines.remove("help info [subcommand]");
      List<String> ours = run(Map.of(), new ArrayList<>(), lines);
      for (int i = 0; i < lines.size(); i++) {
        assertEquals(reference.human(lines.get(i)), ours.get(i), lines.get(i));
      }
    }
    assertTrue(lines.size() > 30, lines::toString);
  }

  @Test
  void linesBecomeCommands() throws Exception {
    List<String> commands = new ArrayList<>();
    List<String> told =
        run(
            Map.of(),
            commands,
            List.of(
                "block_resize d0 4",
                "block_job_cancel -f j",
                "block_stream d0 1k below",
                "drive_mirror -n -f d0 /target raw",
                "snapshot_blkdev d0",
                "nbd_server_start -w localhost:10809",
                "nbd_server_start localhost:10809",
                "nbd_server_add -w d0 name",
                "qemu-io -d d0 \"read 0 512\"",
                "object_add secret,id=s,data=x",
                "chardev-add null,id=n",
                "q"));
    assertEquals(
        List.of(
            "",
            "",
            "",
            "",
            "Error: Parameter 'snapshot-file' is missing\n",
            "Error: -w only valid together with -a\n",
            "",
            "",
            "Error: d0trueread 0 512\n",
            "",
            "",
            ""),
        told);
    assertEquals(8, commands.size(), commands::toString);
    assertTrue(commands.getFirst().contains("size=Whole[value=4194304]"), commands::toString);
    assertEquals("quit {}", commands.getLast());
  }
}
