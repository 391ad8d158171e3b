/** The graph of block nodes: requests go down, data and status come up. */
@org.jspecify.annotations.NullMarked
module org.tinamou.block {
  requires transitive org.tinamou.aio;
  requires transitive org.tinamou.objects;
  requires transitive org.tinamou.qapi;
  requires transitive jdk.jfr; // the events are of its type

  exports org.tinamou.block;
  exports org.tinamou.block.bitmap;
  exports org.tinamou.block.open;
  exports org.tinamou.block.stats;
  exports org.tinamou.block.throttle;
  exports org.tinamou.block.trace;
}
