/** Long-running work on the block graph: copies that go on while the disks are used. */
@org.jspecify.annotations.NullMarked
module org.tinamou.jobs {
  requires transitive org.tinamou.block;
  requires org.tinamou.drivers;
  requires static org.jspecify;

  exports org.tinamou.jobs;
  exports org.tinamou.jobs.chain;
  exports org.tinamou.jobs.mirror;
}
