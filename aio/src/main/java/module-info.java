/** Event loops, coroutines, timers and the pollers that connect them to the host. */
@org.jspecify.annotations.NullMarked
module org.tinamou.aio {
  requires transitive org.tinamou.base;
  requires org.tinamou.host;
  requires transitive jdk.jfr; // the events are of its type

  exports org.tinamou.aio;
  exports org.tinamou.aio.poller;
}
