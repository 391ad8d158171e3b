package org.tinamou.conformance.tidy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The style of the whole tree; {@link TidyCanFailTest} shows that each check can fail. */
class TidyTest {
  @Test
  void textFilesAreTidy() throws IOException {
    List<String> findings = new ArrayList<>();
    List<Path> files = SourceTree.filesEndingWith(".java", ".md", ".sh", ".xml", "tinamou", "run");
    assertTrue(files.contains(Path.of("tinamou")) && files.contains(Path.of(".ci", "run")));
    for (Path file : files) {
      findings.addAll(TextTidy.findings(file.toString(), SourceTree.read(file)));
    }
    assertNone(findings);
  }

  @Test
  void javaFilesAreTidy() throws IOException {
    List<String> findings = new ArrayList<>();
    for (Path file : SourceTree.filesEndingWith(".java")) {
      findings.addAll(JavaTidy.findings(file.toString(), SourceTree.read(file)));
    }
    assertNone(findings);
  }

  @Test
  void everyPackageHasAHead() throws IOException {
    TreeSet<Path> headless = new TreeSet<>();
    for (Path file : SourceTree.filesEndingWith(".java")) {
      boolean inPackage = file.toString().contains("src/main/java/org/");
      if (inPackage
          && !Files.exists(SourceTree.ROOT.resolve(file).resolveSibling("package-info.java"))) {
        headless.add(file.getParent());
      }
    }
    assertEquals(new TreeSet<>(), headless, "packages without package-info.java");
  }

  @Test
  void linksInDocumentsLeadSomewhere() throws IOException {
    List<String> findings = new ArrayList<>();
    for (Path file : SourceTree.filesEndingWith(".md")) {
      findings.addAll(MarkdownLinks.broken(SourceTree.ROOT.resolve(file), SourceTree.read(file)));
    }
    assertNone(findings);
  }

  @Test
  void scenariosNameTestsThatExist() throws IOException {
    Map<String, String> sources = new HashMap<>();
    for (Path file : SourceTree.filesEndingWith(".java")) {
      String name = file.getFileName().toString().replace(".java", "");
      sources.merge(name, SourceTree.read(file), String::concat);
    }
    List<String> required = new ArrayList<>();
    IntStream.rangeClosed(1, 20).forEach(i -> required.add("A" + i));
    IntStream.rangeClosed(1, 12).forEach(i -> required.add("S" + i));
    IntStream.rangeClosed(1, 8).forEach(i -> required.add("V" + i));
    IntStream.of(1, 2, 3, 4, 5, 24).forEach(i -> required.add("I" + i));
    String table = SourceTree.read(Path.of("docs", "SCENARIOS.md"));
    assertNone(ScenarioTable.findings(table, sources, required));
  }

  private static void assertNone(List<String> findings) {
    assertTrue(findings.isEmpty(), () -> "\n" + String.join("\n", findings));
  }
}
