package org.tinamou.testkit.mutant;

import java.util.List;
import java.util.stream.Stream;

/** The planted bugs of jobs; all are found by the workload of that name. */
final class JobMutants {
  private JobMutants() {}

  private static Mutant of(
      String name, String meaning, String file, String original, String replacement) {
    return new Mutant(name, meaning, "jobs", "jobs/" + file, original, replacement, "jobs");
  }

  static List<Mutant> list() {
    return Stream.of(ofMirrors(), ofFilters(), ofBeginnings(), ofChains(), ofTransactions())
        .flatMap(List::stream)
        .toList();
  }

  private static List<Mutant> ofMirrors() {
    return List.of(
        of(
            "mirror-clears-after-read",
            "a mirror clears the bits of a range after it has read it",
            "mirror/MirrorCopies.java",
            """
                        top.source().read(at, buffer, 0);
            """,
            """
                        top.source().read(at, buffer, 0);
                        tracking.dirty().reset(at, part);
            """),
        of(
            "mirror-write-left-behind",
            "nobody waits for the target's part of a write-blocking write",
            "mirror/MirrorTracking.java",
            """
                  try {
                    target.run();
                  } catch (BlockException failed) {
                    mark(offsetBytes, lengthBytes);
                    onTargetError.accept(failed);
                  }
            """,
            """
                  org.tinamou.aio.Coroutine.current()
                      .context()
                      .spawn(
                          "left behind",
                          () -> {
                            try {
                              target.run();
                            } catch (BlockException failed) {
                              mark(offsetBytes, lengthBytes);
                              onTargetError.accept(failed);
                            }
                          });
            """),
        of(
            "mirror-rests-busily",
            "a mirror counts as at rest, so that its nodes may go elsewhere, while it copies",
            "mirror/MirrorJob.java",
            """
              protected void beforePause() {
                awaitCopies();
              }
            """,
            """
              protected void beforePause() {}
            """),
        of(
            "mirror-switches-undrained",
            "guests go on writing while a mirror's target takes over",
            "mirror/MirrorJob.java",
            "      section = drained;\n      return true;\n",
            "      drained.close();\n      return true;\n"));
  }

  private static List<Mutant> ofFilters() {
    return List.of(
        of(
            "mirror-filter-stays",
            "the filter of a mirror that was cancelled stays where it is",
            "mirror/MirrorSwitch.java",
            "      source.graph().replace(filter, source);\n    } catch",
            "    } catch"));
  }

  /** Found by scenarios of their own. */
  private static List<Mutant> ofBeginnings() {
    return List.of(
        new Mutant(
            "mirror-into-itself",
            "a node is mirrored into what it stands in front of",
            "jobs",
            "jobs/mirror/MirrorJob.java",
            "if (ImageChain.unfiltered(source) == ImageChain.unfiltered(target)) {",
            "if (source == target) {",
            "scenarios"),
        new Mutant(
            "mirror-keeps-nothing",
            "what is to be mirrored may close while the mirror waits for its guests",
            "jobs",
            "jobs/mirror/MirrorJob.java",
            "(NodeReferences kept = NodeReferences.take(source, target);",
            "(",
            "scenarios"),
        new Mutant(
            "mirror-looks-once",
            "a second mirror of one disk is created while the first one waits",
            "jobs",
            "jobs/mirror/MirrorJob.java",
            "      list.checkNotBlocked(source); // others may have come while this waited\n",
            "",
            "scenarios"),
        new Mutant(
            "mirror-notes-late",
            "writes that come while a mirror's filter is put in place are not noted",
            "jobs",
            "jobs/mirror/MirrorJob.java",
            "        DrainedSection drained = source.drain(\"start of a mirror\");\n",
            "",
            "scenarios"),
        new Mutant(
            "commit-notes-late",
            "writes that come while the filter of a commit is put in place are not noted",
            "jobs",
            "jobs/mirror/ActiveCommitJob.java",
            "(DrainedSection drained = top.drain(\"start of a commit\");",
            "(",
            "scenarios"));
  }

  private static List<Mutant> ofChains() {
    return List.of(
        of(
            "commit-forgets-zeroes",
            "zeroes of the images that are committed are not written to the base",
            "chain/CommitJob.java",
            "          ImageCopies.zero(to, offsetBytes, length);\n",
            ""),
        of(
            "commit-forgets-the-end",
            "a base that is shorter than what is committed stays as long as it is",
            "chain/CommitJob.java",
            "lengthBytes = from.lengthBytes();",
            "lengthBytes = Math.min(from.lengthBytes(), to.lengthBytes());"),
        of(
            "stream-forgets-zeroes",
            "zeroes of the images that leave the chain are not written to the one that stays",
            "chain/StreamJob.java",
            "    if (status.allocated()) {\n      accountForSpeed(length);",
            "    if (status.allocated() && !status.zero()) {\n      accountForSpeed(length);"),
        new Mutant(
            "frozen-link-changes",
            "what an image stands on is changed while a job relies on it",
            "block",
            "block/Reopen.java",
            "edge.child() != target && edge.isFrozen()",
            "false",
            "jobs"),
        new Mutant(
            "stream-stands-on-filter",
            "a stream relies on the filter of a commit, which goes when that ends",
            "jobs",
            "jobs/BlockJob.java",
            "&& filter.behind() != null",
            "&& filter.behind() == null",
            "scenarios"),
        of(
            "backing-renamed-in-drain",
            "an image is told what it stands on while somebody has it drained",
            "chain/BackingLink.java",
            "image.work().perform(() -> done[0] = changeBacking(image, overlay, chosen, format));",
            "done[0] = changeBacking(image, overlay, chosen, format);"));
  }

  private static List<Mutant> ofTransactions() {
    return List.of(
        of(
            "others-go-on",
            "jobs of a transaction go on when one of them has failed",
            "JobTransaction.java",
            "      if (job.hasFailed()) {\n        abort();\n        return;\n      }\n",
            "      if (job.hasFailed()) {\n        job.conclude();\n        return;\n      }\n"),
        of(
            "ends-before-all",
            "a job of a transaction ends while others still work",
            "JobTransaction.java",
            "        if (each.status() != JobStatus.WAITING) {\n          return;\n        }\n",
            ""));
  }
}
