/** Network block devices: bytes of the NBD protocol to messages, and sessions of both sides. */
@org.jspecify.annotations.NullMarked
module org.tinamou.nbd {
  requires transitive org.tinamou.aio;
  requires transitive org.tinamou.base;
  requires transitive org.tinamou.objects;
  requires static org.jspecify;

  exports org.tinamou.nbd.client;
  exports org.tinamou.nbd.server;
  exports org.tinamou.nbd.wire;
}
