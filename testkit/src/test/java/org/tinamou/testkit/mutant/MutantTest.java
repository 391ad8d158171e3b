package org.tinamou.testkit.mutant;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every planted bug is found within ten thousand seeds, and told with the command to replay it. */
final class MutantTest {
  static List<String> mutants() {
    return Mutant.ALL.stream().map(Mutant::name).toList();
  }

  @ParameterizedTest
  @MethodSource("mutants")
  void isFound(String name) throws Exception {
    Mutant mutant = Mutant.named(name);
    Mutant.Result result = mutant.search(1, 10_000);
    assertTrue(result.found(), result.toString());
    assertTrue(result.output().contains("replay: ./tinamou sim --workload "), result.output());
    assertTrue(result.output().contains(" --mutant " + name), result.output());
  }
}
