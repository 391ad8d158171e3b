package org.tinamou.conformance.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls the launchers by every road a user may take. */
class LaunchersDistTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  @TempDir Path directory;
  private Path dist;

  @BeforeEach
  void copyDistToAPathWithSpaces() throws Exception {
    dist = directory.resolve("a place").resolve("dist");
    Files.createDirectories(dist.getParent());
    assertEquals(0, run("cp", "-a", ROOT.resolve("dist"), dist).exitCode());
  }

  @Test
  void aToolSpeaksUnderTheNameItWasCalledBy() throws Exception {
    assertSpeaksAs("tinamou-img", dist.resolve("bin/tinamou-img"));
    assertSpeaksAs("qemu-img", dist.resolve("compat/qemu-img"));
  }

  @Test
  void aToolIsReachedThroughLinksFromElsewhere() throws Exception {
    Path first = directory.resolve("first");
    Path second = directory.resolve("disk-tool");
    Files.createSymbolicLink(first, Path.of("a place/dist/compat/qemu-img"));
    Files.createSymbolicLink(second, first);
    assertSpeaksAs("disk-tool", second);
  }

  @Test
  void aToolIsFoundOnThePath() throws Exception {
    String path = dist.resolve("compat") + ":" + System.getenv("PATH");
    Program ended = run(Map.of("PATH", path), "sh", "-c", "qemu-img nonsense");
    assertTrue(ended.output().startsWith("qemu-img: "), ended::output);
  }

  @Test
  void theEngineIsChosenByTheEnvironment() throws Exception {
    Program ended =
        run(
            Map.of("TINAMOU_AIO", "threads", "JDK_JAVA_OPTIONS", "-XshowSettings:properties"),
            dist.resolve("compat/qemu-img"));
    assertTrue(ended.output().contains("tinamou.aio = threads"), ended::output);
    assertTrue(ended.output().contains("tinamou.name = qemu-img"), ended::output);
  }

  @Test
  void noOtherJavaIsNeeded() throws Exception {
    Program ended =
        run("env", "-i", "PATH=/no/such/place", dist.resolve("bin/tinamou-img"), "nonsense");
    assertEquals(1, ended.exitCode(), ended::output);
    assertTrue(ended.output().startsWith("tinamou-img: "), ended::output);
  }

  /** What the launcher notes only saves time: here it has no program to find anything out with. */
  @Test
  void aLookAtAnImageDoesWithoutTheLaunchersNotes() throws Exception {
    Path image = Files.write(directory.resolve("a.raw"), new byte[8192]);
    Object[] call = {dist.resolve("bin/tinamou-img"), "info", "-f", "raw", image};
    Program usual = run(call);
    assertTrue(usual.output().contains("disk size: 8 KiB"), usual::output);
    List<Object> alone = new ArrayList<>(List.of("env", "-i", "PATH=/no/such/place"));
    alone.addAll(List.of(call));
    assertEquals(usual, run(alone.toArray()));
  }

  /** With this mode the virtual machine does not start without the cache it is given. */
  @Test
  void whatWasLearnedInTheBuildIsUsedElsewhere() throws Exception {
    Map<String, String> strict = Map.of("JDK_JAVA_OPTIONS", "-XX:AOTMode=on");
    Path image = Files.write(directory.resolve("a.raw"), new byte[512]);
    assertEquals(0, run("mv", dist, directory.resolve("moved")).exitCode());
    List<String> calls =
        List.of(
            "tinamou-img info",
            "tinamou-img info --backing-chain",
            "tinamou-img map",
            "tinamou-io -r -c length");
    for (String call : calls) {
      List<Object> words = new ArrayList<>(List.of(call.split(" ")));
      words.set(0, directory.resolve("moved/bin/" + words.getFirst()));
      words.addAll(List.of("-f", "raw", image));
      Program ended = run(strict, words.toArray());
      assertEquals(0, ended.exitCode(), ended::output);
    }
  }

  /** Only the JDK's own classes may be missing from what was learned; they are quick to load. */
  @Test
  void infoHasEverythingItNeedsFromTheBuild() throws Exception {
    String image = directory.resolve("a.qcow2").toString();
    Path tool = dist.resolve("bin/tinamou-img");
    assertEquals(0, run(tool, "create", "-q", "-f", "qcow2", image, "1M").exitCode());
    Path log = directory.resolve("classes.log");
    Map<String, String> logging = Map.of("JDK_JAVA_OPTIONS", "-Xlog:class+load:file=" + log);
    for (String output : List.of("human", "json")) {
      assertEquals(0, run(logging, tool, "info", "--output=" + output, image).exitCode());
      List<String> others =
          Files.readAllLines(log).stream()
              .filter(line -> !line.endsWith("source: shared objects file"))
              .filter(line -> !line.endsWith("source: jrt:/java.base"))
              .toList();
      assertEquals(List.of(), others);
    }
  }

  @Test
  void onlyJdk25IsTaken() throws Exception {
    assertTrue(isTaken("JAVA_VERSION=\"25\""));
    assertTrue(isTaken("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25.0.3\""));
    assertTrue(!isTaken("JAVA_VERSION=\"17.0.15\""));
    assertTrue(!isTaken("JAVA_VERSION=\"250\""));
  }

  @Test
  void theHandleIsReachedThroughALinkFromAnyDirectory() throws Exception {
    Path place = dist.getParent();
    assertEquals(
        0, run("cp", "-a", ROOT.resolve("tinamou"), ROOT.resolve("launcher"), place).exitCode());
    Path link = directory.resolve("handle");
    Files.createSymbolicLink(link, Path.of("a place/tinamou"));
    Program help = run(link, "help");
    assertEquals(0, help.exitCode(), help::output);
    assertTrue(help.output().contains("quickstart"), help::output);
    Program unknown = run(link, "nonsense");
    assertEquals(1, unknown.exitCode(), unknown::output);
    assertTrue(unknown.output().contains("no such command: nonsense"), unknown::output);
  }

  private void assertSpeaksAs(String name, Path tool) throws Exception {
    Program ended = run(tool, "nonsense");
    assertEquals(1, ended.exitCode(), ended::output);
    assertTrue(ended.output().startsWith(name + ": "), ended::output);
  }

  private boolean isTaken(String release) throws Exception {
    Path jdk = directory.resolve("jdk");
    Files.createDirectories(jdk.resolve("bin"));
    Files.writeString(jdk.resolve("release"), release + "\n");
    Files.writeString(jdk.resolve("bin/java"), "#!/bin/sh\n");
    assertTrue(jdk.resolve("bin/java").toFile().setExecutable(true));
    String script = ". '" + ROOT.resolve("launcher/find-jdk.sh") + "'; is_jdk25 \"$0\"";
    return run("sh", "-c", script, jdk).exitCode() == 0;
  }

  private Program run(Object... command) throws IOException, InterruptedException {
    return run(Map.of(), command);
  }

  private Program run(Map<String, String> environment, Object... command)
      throws IOException, InterruptedException {
    return Program.run(directory, environment, command);
  }
}
