/** The composition root: commands, exports and objects over one block graph. */
@org.jspecify.annotations.NullMarked
module org.tinamou.daemon {
  requires transitive org.tinamou.block;
  requires transitive org.tinamou.jobs;
  requires transitive org.tinamou.monitor;
  requires transitive org.tinamou.nbd;
  requires transitive org.tinamou.objects;
  requires org.tinamou.drivers;
  requires static org.jspecify;

  exports org.tinamou.daemon;
  exports org.tinamou.daemon.export;
  exports org.tinamou.daemon.hmp;
  exports org.tinamou.daemon.object;
}
