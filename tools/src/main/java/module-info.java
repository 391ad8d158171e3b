/** The command-line tools: arguments in, library calls, and the text that scripts expect out. */
@org.jspecify.annotations.NullMarked
module org.tinamou.tools {
  requires org.tinamou.aio;
  requires org.tinamou.base;
  requires org.tinamou.block;
  requires org.tinamou.daemon;
  requires org.tinamou.drivers;
  requires org.tinamou.monitor;
  requires org.tinamou.nbd;
  requires org.tinamou.objects;
  requires org.tinamou.qapi;
  requires jdk.unsupported; // signals
  requires static org.jspecify;

  exports org.tinamou.tools.cli;
  exports org.tinamou.tools.daemon;
  exports org.tinamou.tools.getopt;
  exports org.tinamou.tools.image;
  exports org.tinamou.tools.img;
  exports org.tinamou.tools.io;
  exports org.tinamou.tools.nbd;
  exports org.tinamou.tools.system;
}
