package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;

/** Makes images, damages them, and uses them through a graph. */
final class Qcow2Files {
  static final int CLUSTER_BYTES = 65_536;
  static final int DATA_BYTES = 4 * CLUSTER_BYTES;

  /** Where the creator and the first writes put things. */
  static final int REFCOUNT_TABLE = CLUSTER_BYTES;

  static final int REFCOUNT_BLOCK = 2 * CLUSTER_BYTES;
  static final int FIRST_LEVEL = 3 * CLUSTER_BYTES;
  static final int SECOND_LEVEL = 4 * CLUSTER_BYTES;
  static final int DATA = 5 * CLUSTER_BYTES;
  static final long COPIED = 1L << 63;

  private Qcow2Files() {}

  /** An open image. */
  static final class Disk {
    final BlockBackend backend;
    final List<String> lines = new ArrayList<>();
    final BlockNode node;

    private Disk(BlockBackend backend, BlockNode node) {
      this.backend = backend;
      this.node = node;
    }

    byte[] read(long offset, int length) throws BlockException {
      try (Arena arena = Arena.ofShared()) {
        MemorySegment buffer = arena.allocate(length);
        backend.read(offset, IoVector.of(buffer), 0);
        return buffer.toArray(ValueLayout.JAVA_BYTE);
      }
    }

    void write(long offset, byte[] bytes) throws BlockException {
      try (Arena arena = Arena.ofShared()) {
        MemorySegment buffer = arena.allocate(bytes.length);
        buffer.copyFrom(MemorySegment.ofArray(bytes));
        backend.write(offset, IoVector.of(buffer), 0);
      }
    }

    CheckReport check(CheckRepair repair) throws BlockException {
      return ((BlockDriver.Checkable) Objects.requireNonNull(node.driverOrNull()))
          .check(repair, lines::add);
    }

    void close() {
      backend.close();
    }
  }

  static Disk open(AioContext context, Path image, @Nullable String driver, NodeOptions options)
      throws BlockException {
    return open(context, ImageAddress.ofName(image.toString(), driver), options);
  }

  static Disk open(AioContext context, ImageAddress address, NodeOptions options)
      throws BlockException {
    BlockGraph graph = new BlockGraph(context);
    int used = Permission.CONSISTENT_READ;
    if (!options.readOnly()) {
      used |= Permission.WRITE | Permission.RESIZE;
    }
    BlockBackend backend = new BlockBackend(graph, "", context, used, Permission.ALL);
    List<String> early = new ArrayList<>();
    graph.tellDamageTo(early::add);
    BlockNode node = new NodeOpener(graph, Drivers.list()).open(address, options, context);
    Disk disk = new Disk(backend, node);
    disk.lines.addAll(early);
    graph.tellDamageTo(disk.lines::add);
    try {
      backend.insert(node);
    } finally {
      graph.release(node);
    }
    return disk;
  }

  /** An image of 1 MiB, the first four clusters of which are written. */
  static Path create(AioContext context, Path image) throws BlockException, IOException {
    create(context, image, Qcow2Creator.Request.ofSize(1 << 20));
    Disk disk = open(context, image, "qcow2", NodeOptions.READ_WRITE);
    disk.write(0, filled(DATA_BYTES, 0xcd));
    disk.backend.flush();
    disk.close();
    return image;
  }

  static void create(AioContext context, Path image, Qcow2Creator.Request request)
      throws BlockException, IOException {
    Files.write(image, new byte[0]);
    Disk file = open(context, image, "file", NodeOptions.READ_WRITE);
    Qcow2Creator.create(file.backend, request);
    file.close();
  }

  static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  /** Overwrites a big-endian number. */
  static void poke(Path image, long offset, int bytes, long value) throws IOException {
    byte[] all = Files.readAllBytes(image);
    ByteBuffer number = ByteBuffer.allocate(Long.BYTES).putLong(0, value);
    number.get(Long.BYTES - bytes, all, (int) offset, bytes);
    Files.write(image, all);
  }

  static long peek(Path image, long offset) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(image)).getLong((int) offset);
  }

  static boolean hasReference() {
    boolean installed =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "qemu-img")));
    if (!installed) {
      assertFalse(Boolean.getBoolean("tinamou.peers.required"), "qemu-utils is not installed");
    }
    return installed;
  }

  /** What the reference printed, errors last, and its exit code. */
  record Output(int code, String text) {}

  static Output reference(String... command) throws Exception {
    Path errors = Files.createTempFile("reference", ".err");
    try {
      Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
      String text = new String(process.getInputStream().readAllBytes());
      int code = process.waitFor();
      return new Output(code, text + Files.readString(errors));
    } finally {
      Files.delete(errors);
    }
  }
}
