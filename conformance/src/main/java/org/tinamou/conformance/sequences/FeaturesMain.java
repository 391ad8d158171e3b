package org.tinamou.conformance.sequences;

import java.io.IOException;

/**
 * {@code FeaturesMain [COUNT [FIRST-SEED]]}: makes images with random combinations of features by
 * both tools, and has both read all of them; exit code 1 if any differs.
 */
public final class FeaturesMain {
  private static final int DEFAULT_COUNT = 500;

  private FeaturesMain() {}

  public static void main(String[] arguments) throws IOException {
    SequencesMain.playAll(FeatureRun::play, arguments, DEFAULT_COUNT);
  }
}
