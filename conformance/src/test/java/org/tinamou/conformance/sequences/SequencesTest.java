package org.tinamou.conformance.sequences;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A few of what {@code ./tinamou conformance sequences} and {@code features} play. */
class SequencesTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 12, 18, 29, 42, 155, 178, 199})
  void bothToolsDoTheSame(long seed) throws IOException {
    needReference();
    SequenceRun.Outcome outcome = SequenceRun.play(directory, seed);
    assertEquals(List.of(), outcome.differences());
    assertEquals("", outcome.referenceFailure());
  }

  /** 36: few of the clusters that its file counts are there, and its data is in another file. */
  @ParameterizedTest
  @ValueSource(longs = {36})
  void bothToolsMakeTheSameOfFeatures(long seed) throws IOException {
    needReference();
    assertEquals(List.of(), FeatureRun.play(directory, seed).differences());
  }

  private static void needReference() {
    if (!SequenceRun.hasReference()) {
      assertFalse(Boolean.getBoolean("tinamou.peers.required"), "qemu-utils is not installed");
      assumeTrue(false, "LEFT OUT: random sequences (qemu-img or qemu-io is not installed)");
    }
  }
}
