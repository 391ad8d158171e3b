/** Errno kinds, buffers, ranges, checks, clocks and seeded randomness: what every room shares. */
@org.jspecify.annotations.NullMarked
module org.tinamou.base {
  requires static transitive org.jspecify;

  exports org.tinamou.base;
}
