package org.tinamou.drivers.filter.quorum;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;

/** What the children say, the same sayings together. The one said last stands first. */
final class Votes<T> {
  /** One saying and who says it, by the numbers of the children. */
  record Version<T>(T value, List<Integer> voters) {}

  private final List<Version<T>> versions = new ArrayList<>();
  private final BiPredicate<T, T> same;

  Votes(BiPredicate<T, T> same) {
    this.same = same;
  }

  void add(T value, int voter) {
    for (Version<T> version : versions) {
      if (same.test(version.value(), value)) {
        version.voters().addFirst(voter);
        return;
      }
    }
    List<Integer> voters = new ArrayList<>();
    voters.add(voter);
    versions.addFirst(new Version<>(value, voters));
  }

  /** The one with most voters; there is one at least. */
  Version<T> winner() {
    Version<T> winner = versions.getFirst();
    for (Version<T> version : versions) {
      if (version.voters().size() > winner.voters().size()) {
        winner = version;
      }
    }
    return winner;
  }

  /** All others. */
  List<Version<T>> losers() {
    List<Version<T>> losers = new ArrayList<>(versions);
    losers.remove(winner());
    return losers;
  }
}
