/** The QMP monitor: lines in, commands carried out, replies and events out. */
@org.jspecify.annotations.NullMarked
module org.tinamou.monitor {
  requires transitive org.tinamou.aio;
  requires transitive org.tinamou.qapi;
  requires static org.jspecify;

  exports org.tinamou.monitor;
  exports org.tinamou.monitor.chardev;
  exports org.tinamou.monitor.hmp;
}
