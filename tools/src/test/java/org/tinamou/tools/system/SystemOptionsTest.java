package org.tinamou.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.nbd.Programs;

/** Command lines of the machine that end in an error, for us and for the reference. */
final class SystemOptionsTest {
  private static final String PROGRAM = "qemu-system-x86_64";

  @TempDir Path folder;

  /** Words separated by blanks; {@code @} is the folder. */
  private List<String> words(String line) {
    List<String> words = new ArrayList<>(List.of("-machine", "none", "-nodefaults"));
    words.addAll(List.of("-display", "none"));
    words.addAll(List.of(line.replace("@", folder.toString()).split(" ")));
    return words;
  }

  private static String reference(List<String> words) throws Exception {
    Programs.require(PROGRAM);
    List<String> command = new ArrayList<>(List.of(PROGRAM));
    command.addAll(words);
    Programs.Outcome outcome = Programs.run(command);
    return outcome.exitCode() + "\n" + outcome.output();
  }

  private static String ours(List<String> words) {
    ToolRun run = ToolRun.run(new SystemTool(), PROGRAM, "", words.toArray(new String[0]));
    return run.exitCode() + "\n" + run.out() + run.err();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-foo",
        "--foo",
        "-qmp",
        "-machine nope",
        "-machine none,accel=foo",
        "-accel foo",
        "-display foo",
        "-vga foo",
        "-smp 2",
        "-cpu foo",
        "-device foo",
        "-device foo,id=x",
        "@/missing",
        "-hda @/missing",
        "-pidfile @/none/pid",
        "-serial foo",
        "-monitor foo",
        "-qmp foo",
        "-qmp unix:@/missing",
        "-qmp-pretty unix:@/missing",
        "-qmp unix:@/missing,foo=1",
        "-qtest foo",
        "-mon foo",
        "-mon chardev=x",
        "-mon chardev=x,mode=foo",
        "-mon mode=control",
        "-chardev foo",
        "-chardev foo,id=x",
        "-chardev stdio",
        "-chardev socket,id=x,path=@/missing",
        "-chardev socket,id=x,path=@/none/a,server=on,wait=off",
        "-chardev file,id=x",
        "-chardev null,id=x,foo=1",
        "-daemonize -monitor stdio",
        "-object foo",
        "-object iothread",
        "-blockdev driver=foo",
        "-blockdev driver=null-co",
        "-blockdev null-co,node-name=a -blockdev null-co,node-name=a",
      })
  void refusesAsTheReferenceDoes(String line) throws Exception {
    assertEquals(reference(words(line)), ours(words(line)));
  }

  /** Behind each drive comes something wrong, so that those that can be opened end as well. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "foo",
        "noread-only",
        "id=x,foo=1",
        "if=foo",
        "if=none,file=@/missing",
        "if=none,id=a,driver=null-co -drive if=none,id=a",
        "if=none,id=1a",
        "if=none,id=",
        "if=none,format=foo,file=x",
        "if=none,driver=raw,format=raw",
        "if=none,cache=foo,file=null-co://",
        "if=none,cache=none",
        "if=none,cache.direct=on",
        "if=none,cache.writeback=foo",
        "if=none,aio=foo,file=null-co://",
        "if=none,werror=foo,file=null-co://",
        "if=none,rerror=enospc,file=null-co://",
        "if=floppy,werror=stop,driver=null-co",
        "if=floppy,rerror=stop,driver=null-co",
        "if=none,media=foo,file=null-co://",
        "if=none,media=cdrom",
        "if=none,index=1,bus=1",
        "if=none,index=1 -drive if=none,index=1",
        "if=none,discard=foo",
        "if=none,discard=foo,driver=null-co",
        "if=none,detect-zeroes=foo,file=null-co://",
        "if=none,detect-zeroes=unmap,discard=on,driver=null-co",
        "if=none,read-only=foo",
        "if=none,readonly=on",
        "if=none,read-only=on,readonly=on",
        "if=none,file=null-co://,format=raw,copy-on-read=on,read-only=on",
        "if=none,file=null-co://,format=raw,bar=1",
        "if=none,file=null-co://,format=raw,file.foo=1",
        "if=none,file=null-co://,format=raw,iops=1,bps=foo",
        "if=none,file=null-co://,format=raw,iops-total=2",
        "if=none,file=null-co://,format=raw,throttling.iops-total=1,throttling.iops-read=1",
        "if=none,file=",
        "if=none,snapshot=on",
        "if=none,serial=1,file=null-co://,format=raw",
        "if=ide,index=9,file=null-co://,format=raw",
        "if=pflash,driver=null-co",
        "if=sd,driver=null-co",
        "if=none,file=@/missing,file.filename=b",
        "if=none,driver=null-co,size=1,node-name=a -blockdev null-co,node-name=a",
        "if=none,id=a,driver=null-co -blockdev null-co,node-name=a",
        "file=null-co://",
        "if=none,file=null-co://,format=raw",
      })
  void refusesDrivesAsTheReferenceDoes(String drive) throws Exception {
    List<String> words = words("-drive " + drive + " -mon chardev=none");
    assertEquals(reference(words), ours(words));
  }

  @Test
  void tellsWhatItIs() {
    String version = ours(List.of("--version"));
    assertTrue(version.startsWith("0\nQEMU emulator version 7.2.22 ("), version);
    String machines = ours(List.of("-machine", "help"));
    assertTrue(machines.contains("none                 empty machine (default)\n"), machines);
    assertTrue(ours(List.of("-help")).startsWith("0\nusage: "), "help");
  }

  @Test
  void leavesNoPidFileBehind() {
    Path file = folder.resolve("pid");
    ours(words("-pidfile " + file + " -mon chardev=none"));
    assertTrue(Files.notExists(file), "the file is still there");
  }
}
