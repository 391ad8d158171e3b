/** Drivers: a request on one node becomes requests on its children or on the host. */
@org.jspecify.annotations.NullMarked
module org.tinamou.drivers {
  requires transitive org.tinamou.block;
  requires transitive org.tinamou.objects;
  requires transitive org.tinamou.qapi;
  requires com.github.luben.zstd_jni;
  requires org.bouncycastle.provider;
  requires org.tinamou.host;
  requires org.tinamou.nbd;
  requires static org.jspecify;

  exports org.tinamou.drivers;
  exports org.tinamou.drivers.copy;
  exports org.tinamou.drivers.filter;
  exports org.tinamou.drivers.filter.blkdebug;
  exports org.tinamou.drivers.filter.blklogwrites;
  exports org.tinamou.drivers.filter.blkverify;
  exports org.tinamou.drivers.filter.compress;
  exports org.tinamou.drivers.filter.copybeforewrite;
  exports org.tinamou.drivers.filter.copyonread;
  exports org.tinamou.drivers.filter.preallocate;
  exports org.tinamou.drivers.filter.quorum;
  exports org.tinamou.drivers.filter.snapshotaccess;
  exports org.tinamou.drivers.filter.throttle;
  exports org.tinamou.drivers.crypto;
  exports org.tinamou.drivers.format.luks;
  exports org.tinamou.drivers.format.qcow2;
  exports org.tinamou.drivers.format.raw;
  exports org.tinamou.drivers.format.vmdk;
  exports org.tinamou.drivers.protocol.file;
  exports org.tinamou.drivers.protocol.nbd;
  exports org.tinamou.drivers.protocol.nullblock;
}
