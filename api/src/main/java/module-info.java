/** Disk images for programs: opened, read and written from any thread. */
@org.jspecify.annotations.NullMarked
module org.tinamou.api {
  requires transitive org.tinamou.base;
  requires org.tinamou.block;
  requires org.tinamou.drivers;
  requires org.tinamou.objects;
  requires static org.jspecify;

  exports org.tinamou.api;
}
