package org.tinamou.conformance.tidy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Shows each check of the tidy test a text it must not let through. */
class TidyCanFailTest {
  @Test
  void tabsAndBlanksAndMissingNewlinesAreFound() {
    assertEquals(List.of(), TextTidy.findings("f", "a\n\nb\n"));
    assertEquals(List.of("f:2: tab"), TextTidy.findings("f", "a\n\tb\n"));
    assertEquals(List.of("f:1: blank at the end of the line"), TextTidy.findings("f", "a \n"));
    assertEquals(List.of("f: must end with exactly one newline"), TextTidy.findings("f", "a"));
    assertEquals(List.of("f: must end with exactly one newline"), TextTidy.findings("f", "a\n\n"));
  }

  @Test
  void longFilesAreFound() throws IOException {
    assertEquals(List.of(), JavaTidy.findings("f", "\n".repeat(600)));
    assertEquals(List.of("f: 601 lines, more than 600"), JavaTidy.findings("f", "\n".repeat(601)));
  }

  @Test
  void longMethodsAreFound() throws IOException {
    String fits = "class C {\n  void m() {\n" + "    m();\n".repeat(78) + "  }\n}\n";
    assertEquals(List.of(), JavaTidy.findings("f", fits));
    assertEquals(
        List.of("f:2: m has 81 lines, more than 80"),
        JavaTidy.findings("f", fits.replace("void m() {\n", "void m() {\n    m();\n")));
  }

  @Test
  void leftoversAreFound() throws IOException {
    assertEquals(
        List.of("f:1: marker of unfinished work"), JavaTidy.findings("f", "// TO" + "DO later\n"));
    assertEquals(List.of("f:1: test switched off"), JavaTidy.findings("f", "@Dis" + "abled\n"));
    String sleeps = "class C { void m() { Thread" + ".sleep(1); } }\n";
    assertEquals(List.of("src/test/f:1: test sleeps"), JavaTidy.findings("src/test/f", sleeps));
    String clock = "class C { long t = System." + "nanoTime(); }\n";
    assertEquals(
        List.of("src/test/f:1: test reads the clock"), JavaTidy.findings("src/test/f", clock));
  }

  @Test
  void brokenLinksAreFound() {
    assertEquals(
        List.of(SourceTree.ROOT.resolve("X.md") + ": link to no/such.md leads nowhere"),
        MarkdownLinks.broken(
            SourceTree.ROOT.resolve("X.md"),
            "[a](no/such.md#part) [b](pom.xml) [c](https://example.org/x) [d](#here) `[e](code)`"));
  }

  @Test
  void scenariosWithoutTestsAreFound() {
    Map<String, String> sources =
        Map.of(
            "T", "void a1_goes() {}",
            "Workload", "LOOPS;",
            "Mutant", "\"m\"",
            "Stress", "",
            "DrainScenarios", "\"D4 S13\"");
    String good =
        "| A1 | x | `T#a1_goes`, `workload loops`, `mutant m`, `jcstress Stress`, `scenario S13` |\n";
    assertEquals(List.of(), ScenarioTable.findings(good, sources, List.of("A1")));
    assertEquals(
        List.of(
            "A2: there is no T#a2_goes",
            "A2: there is no U#a1_goes",
            "A2: there is no workload disk",
            "A2: there is no mutant n",
            "A2: there is no jcstress Other",
            "A2: there is no scenario D1",
            "A2: there is no something else",
            "A3 names no test",
            "A3 has two rows",
            "A3 names no test",
            "A4 has no row"),
        ScenarioTable.findings(
            "| A2 | x | `T#a2_goes` `U#a1_goes` `workload disk` `mutant n` `jcstress Other` `scenario D1`"
                + " `something else` |\n| A3 | `T#a1_goes` | |\n| A3 | x | |\n",
            sources,
            List.of("A2", "A3", "A4")));
  }
}
