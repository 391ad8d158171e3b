/** Event loops, coroutines, timers and the pollers that connect them to the host. */
@org.jspecify.annotations.NullMarked
module org.tinamou.aio {
  requires transitive org.tinamou.base;
  requires org.tinamou.host;

  exports org.tinamou.aio;
  exports org.tinamou.aio.poller;
}
