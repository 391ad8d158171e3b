/** Simulated time, scheduling and disks, and the workloads that run on them. Not shipped. */
@org.jspecify.annotations.NullMarked
module org.tinamou.testkit {
  requires transitive org.tinamou.aio;
  requires transitive org.tinamou.block;
  requires org.tinamou.daemon;
  requires org.tinamou.drivers;
  requires transitive org.tinamou.jobs;
  requires transitive org.tinamou.nbd;
  requires org.tinamou.objects;
  requires org.tinamou.tools;
  requires java.compiler;

  exports org.tinamou.testkit.crash;
  exports org.tinamou.testkit.scenario;
  exports org.tinamou.testkit.net;
  exports org.tinamou.testkit.sim;
  exports org.tinamou.testkit.workload;
  exports org.tinamou.testkit.mutant;
}
