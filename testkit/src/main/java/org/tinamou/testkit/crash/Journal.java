package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was done to some files, in its order, and what was promised in between. */
final class Journal {
  /** Something that was done, or said in between. */
  sealed interface Entry {}

  /** One of the files was changed or flushed. */
  record Step(String file, RecordedFile.Event event) implements Entry {}

  /** What whoever uses the files may find from here on. */
  record Mark(DiskPromise promise) implements Entry {}

  private final Map<String, byte[]> bases = new LinkedHashMap<>();
  private final List<Entry> entries = new ArrayList<>();

  /** Writes down what is done to a file from now on; what it has now is on the disk. */
  void follow(String name, RecordedFile file) {
    bases.put(name, file.content());
    file.tell(event -> entries.add(new Step(name, event)));
  }

  void mark(DiskPromise promise) {
    entries.add(new Mark(promise));
  }

  /** What the files had at first. */
  Map<String, byte[]> bases() {
    return bases;
  }

  List<Entry> entries() {
    return entries;
  }
}
