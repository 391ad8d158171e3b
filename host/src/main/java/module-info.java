/** The native door: Linux system calls and kernel structures through the FFM API. */
@org.jspecify.annotations.NullMarked
module org.tinamou.host {
  requires transitive org.tinamou.base;

  exports org.tinamou.host;
}
