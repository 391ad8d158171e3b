/** The graph of block nodes: requests go down, data and status come up. */
@org.jspecify.annotations.NullMarked
module org.tinamou.block {
  requires transitive org.tinamou.aio;

  exports org.tinamou.block;
  exports org.tinamou.block.bitmap;
}
