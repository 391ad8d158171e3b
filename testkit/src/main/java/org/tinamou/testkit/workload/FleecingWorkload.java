package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.filter.copybeforewrite.CopyBeforeWriteDriver;
import org.tinamou.drivers.filter.copybeforewrite.CopySettings;
import org.tinamou.qapi.Json;

/**
 * A filter comes between a disk and its users and keeps what they write over. Meanwhile others read
 * the disk as it was at that moment: they see just that, or an error if there was a reason.
 */
final class FleecingWorkload extends GraphProgram {
  private static final int UNIT_BYTES = 512;
  private static final int MOST_TRIES = 200;

  private final List<BlockNode> nodes = new ArrayList<>();
  private final List<MemoryDriver> disks = new ArrayList<>();
  private final boolean[] forgotten = new boolean[DISK_BYTES];
  private CopySettings settings = CopySettings.DEFAULT;
  private byte[] old = new byte[0];
  private @Nullable CopyBeforeWriteDriver filter;

  private BlockNode disk(String name) throws BlockException {
    Disk opened = memory(name);
    disks.add(opened.driver());
    return opened.node();
  }

  private BlockBackend backend(String name, BlockNode node, int permissions) throws BlockException {
    BlockBackend backend = new BlockBackend(graph(), name, anyLoop(), permissions, Permission.ALL);
    backend.setFollowsNode(true);
    backend.insert(node);
    return backend;
  }

  @Override
  void control(Arena arena) throws Exception {
    BlockNode source = disk("source");
    BlockBackend device = backend("device", source, Permission.ALL);
    GraphDisk disk = new GraphDisk(simulation(), device, source, disks.getFirst());
    List<GraphUser> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      users.add(new GraphUser(simulation(), random(), loops(), disk, i, arena));
    }
    join(spawn(users));
    BlockNode target = disk("target");
    java.util.Arrays.fill(disks.get(1).contents(), (byte) 0x77);
    List<Coroutine> busy = spawn(users);
    if (random().nextBoolean()) {
      Coroutine.yieldNow();
    }
    BlockNode kept = insertFilter(source, target);
    BlockNode access = openAccess();
    BlockBackend reader = backend("reader", access, Permission.CONSISTENT_READ | Permission.WRITE);
    nodes.addAll(List.of(source, target, kept, access));
    for (int i = 1 + random().nextInt(3); i > 0; i--) {
      busy.add(anyLoop().spawn("reader" + i, () -> readSome(reader, arena)));
    }
    for (int i = random().nextInt(10); i > 0; i--) {
      disturb();
    }
    join(busy);
    readAll(reader, arena);
    reader.close();
    graph().release(access);
    graph().replace(kept, source);
    graph().release(kept);
    graph().release(target);
    join(spawn(users));
    disk.checkAccounts(simulation());
    device.close();
    graph().release(source);
  }

  private List<Coroutine> spawn(List<GraphUser> users) {
    List<Coroutine> all = new ArrayList<>();
    for (GraphUser user : users) {
      all.add(anyLoop().spawn("user", user::use));
    }
    return all;
  }

  private static void join(List<Coroutine> coroutines) {
    coroutines.forEach(Coroutine::join);
  }

  /** What the disk holds in the drained section in which the filter comes is what has to stay. */
  private BlockNode insertFilter(BlockNode source, BlockNode target) throws BlockException {
    settings =
        new CopySettings(
            random().chance(1, 3),
            random().chance(1, 3) ? 1 + random().nextLong(400_000) : 0,
            512L << random().nextInt(4),
            false,
            false,
            random().nextBoolean());
    BlockNode kept;
    try (DrainedSection drained = source.drain("insertion of the filter")) {
      kept =
          graph()
              .open(
                  "kept",
                  NodeOptions.READ_WRITE.withDiscardUnmap(true),
                  source.context(),
                  node ->
                      filter =
                          CopyBeforeWriteDriver.open(
                              node,
                              node.attachChild(
                                  "file",
                                  EnumSet.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                                  source,
                                  Permission.CONSISTENT_READ,
                                  Permission.ALL),
                              node.attachChild(
                                  "target",
                                  EnumSet.of(EdgeRole.DATA),
                                  target,
                                  Permission.WRITE | Permission.CONSISTENT_READ,
                                  Permission.ALL & ~Permission.RESIZE),
                              null,
                              settings));
      graph().replace(source, kept);
      old = disks.getFirst().contents().clone();
    }
    return kept;
  }

  private BlockNode openAccess() throws Exception {
    Json.Members options =
        new Json.Members()
            .put("driver", new Json.Text("snapshot-access"))
            .put("file", new Json.Text("kept"))
            .put("node-name", new Json.Text("access"));
    return new NodeOpener(graph(), Drivers.list())
        .open(
            ImageAddress.ofOptions(options),
            NodeOptions.READ_WRITE.withDiscardUnmap(true),
            anyLoop());
  }

  private void disturb() {
    BlockNode node = nodes.get(random().nextInt(nodes.size()));
    switch (random().nextInt(3)) {
      case 0 -> {
        try (DrainedSection drained = node.drain("test")) {
          simulation().require(node.inFlightCount() == 0, "I6", "requests on a drained " + node);
          // Nobody else is above the source or the target.
          int index = nodes.indexOf(node);
          if (index < disks.size()) {
            disks.get(index).tripwire = true;
            Coroutine.yieldNow();
            disks.get(index).tripwire = false;
          }
        }
      }
      case 1 -> {
        try {
          graph().moveToContext(node, anyLoop());
        } catch (BlockException refused) {
          simulation().note("move refused", node.name(), 0);
        }
      }
      default -> {
        for (int i = random().nextInt(30); i > 0; i--) {
          Coroutine.yieldNow();
        }
      }
    }
  }

  // ------------------------------------------------------------------------------------- readers

  private void readSome(BlockBackend reader, Arena arena) {
    MemorySegment buffer = arena.allocate(DISK_BYTES);
    for (int i = 2 + random().nextInt(10); i > 0; i--) {
      int offset = random().nextInt(DISK_BYTES);
      int length = 1 + random().nextInt(Math.min(4000, DISK_BYTES - offset));
      switch (random().nextInt(8)) {
        case 0 -> forget(reader, offset, length);
        case 1 -> checkStatus(reader, offset, length);
        default -> check(reader, buffer.asSlice(0, length), offset);
      }
      if (random().chance(1, 6)) {
        Coroutine.moveTo(anyLoop());
      }
    }
  }

  private boolean isBroken() {
    CopyBeforeWriteDriver driver = java.util.Objects.requireNonNull(filter);
    boolean broken = driver.broken() != null;
    simulation().require(!broken || settings.breaksSnapshot(), "S35", "broken against its policy");
    return broken;
  }

  /** Whether it could be read; what was read is right. */
  private boolean check(BlockBackend reader, MemorySegment buffer, int offset) {
    int length = (int) buffer.byteSize();
    boolean[] goneBefore = java.util.Arrays.copyOfRange(forgotten, offset, offset + length);
    try {
      reader.read(offset, IoVector.of(buffer), 0);
    } catch (BlockException failed) {
      boolean reason = isBroken() || anyGone(offset, length) || failed.errno() != Errno.EACCES;
      simulation().require(reason, "S35", "nothing is broken, and yet: " + failed.getMessage());
      return false;
    }
    byte[] bytes = buffer.toArray(ValueLayout.JAVA_BYTE);
    for (int i = 0; i < length; i++) {
      boolean gone = goneBefore[i] || forgotten[offset + i];
      if (!gone && bytes[i] != old[offset + i]) {
        simulation()
            .require(
                false,
                "I18",
                "byte %d of the snapshot is %d, was %d"
                    .formatted(offset + i, bytes[i], old[offset + i]));
      }
    }
    return true;
  }

  private boolean anyGone(int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      if (forgotten[i]) {
        return true;
      }
    }
    return false;
  }

  private void checkStatus(BlockBackend reader, int offset, int length) {
    try {
      BlockStatus status = reader.status(offset, length, true);
      if (status.has(BlockStatus.ZERO)) {
        for (int i = offset; i < offset + status.lengthBytes(); i++) {
          simulation()
              .require(forgotten[i] || old[i] == 0, "I18", "data is said to be zero at " + i);
        }
      }
    } catch (BlockException injected) {
      simulation().note("status failed", "access", offset);
    }
  }

  /** Whole clusters are forgotten, the rest of the range may not be. */
  private void forget(BlockBackend reader, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      forgotten[i] = true;
    }
    try {
      reader.discard(offset, length);
    } catch (BlockException injected) {
      simulation().note("discard failed", "access", offset);
    }
  }

  private void readAll(BlockBackend reader, Arena arena) {
    MemorySegment buffer = arena.allocate(UNIT_BYTES);
    for (int offset = 0; offset < DISK_BYTES; offset += UNIT_BYTES) {
      boolean read = false;
      for (int i = 0; !read && i < MOST_TRIES; i++) {
        read = check(reader, buffer, offset) || isBroken() || anyGone(offset, UNIT_BYTES);
      }
      simulation().require(read, "S35", "the snapshot cannot be read at " + offset);
    }
  }
}
