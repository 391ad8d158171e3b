package org.tinamou.block.stats;

/** The kinds of requests that are accounted apart. */
public enum IoKind {
  READ("rd", "read"),
  WRITE("wr", "write"),
  FLUSH("flush", "flush"),
  /** Discards. */
  UNMAP("unmap", "unmap");

  private final String prefix;
  private final String word;

  IoKind(String prefix, String word) {
    this.prefix = prefix;
    this.word = word;
  }

  /** How the names of its counters begin or end in reports, e.g. "rd". */
  String prefix() {
    return prefix;
  }

  /** How messages call it, e.g. "read". */
  public String word() {
    return word;
  }

  /** Whether requests of this kind transfer bytes. */
  boolean hasBytes() {
    return this != FLUSH;
  }

  /** Whether latencies of this kind are kept. Unmaps have neither histogram nor intervals. */
  public boolean hasLatencies() {
    return this != UNMAP;
  }
}
