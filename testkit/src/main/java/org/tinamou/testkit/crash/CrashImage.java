package org.tinamou.testkit.crash;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.block.open.DriverList;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.drivers.CompactableImage;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.drivers.format.qcow2.Qcow2Driver;
import org.tinamou.drivers.format.qcow2.Qcow2Type;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.tools.image.OpenImage;

/** An image on recorded files, open in a graph of its own. */
final class CrashImage {
  private final BlockBackend backend;
  private final BlockNode node;

  private CrashImage(BlockBackend backend, BlockNode node) {
    this.backend = backend;
    this.node = node;
  }

  /** Opens a recorded file as it is. */
  static CrashImage openFile(AioContext context, RecordedType files, String name)
      throws BlockException {
    Json.Members options = new Json.Members().put("driver", RecordedType.NAME).put("disk", name);
    return open(context, files, options, NodeOptions.READ_WRITE);
  }

  /**
   * Opens the image in a recorded file, with another one below if the configuration says so.
   *
   * @param below its name; empty for none all the same
   */
  static CrashImage open(
      AioContext context,
      RecordedType files,
      String name,
      String below,
      CrashConfig config,
      NodeOptions nodeOptions)
      throws BlockException {
    Json.Members options = new Json.Members().put("driver", "qcow2");
    options.put("file.driver", RecordedType.NAME).put("file.disk", name);
    if (config.backed() && !below.isEmpty()) {
      options.put("backing.driver", RecordedType.NAME).put("backing.disk", below);
    }
    if (config.smallCaches()) {
      options.put("l2-cache-entry-size", "512").put("l2-cache-size", "1024");
    }
    return open(context, files, options, nodeOptions);
  }

  private static CrashImage open(
      AioContext context, RecordedType files, Json.Members options, NodeOptions nodeOptions)
      throws BlockException {
    BlockGraph graph = new BlockGraph(context);
    graph.tellDamageTo(line -> {}); // repairs are what is looked at, not the news of them
    graph.tellErrorsTo(line -> {});
    DriverList drivers =
        new DriverList(
            List.of(new Qcow2Type(ObjectRegistry.none()), files), Set.of(), (header, name) -> null);
    return open(graph, drivers, options, nodeOptions, true);
  }

  /**
   * Opens what options name.
   *
   * @param withBelow whether it is opened with what it stands on
   */
  static CrashImage open(
      BlockGraph graph,
      DriverList drivers,
      Json.Members options,
      NodeOptions nodeOptions,
      boolean withBelow)
      throws BlockException {
    BlockNode node =
        new NodeOpener(graph, drivers, withBelow)
            .open(ImageAddress.ofOptions(options), nodeOptions, graph.main());
    int used =
        nodeOptions.readOnly()
            ? Permission.CONSISTENT_READ
            : Permission.CONSISTENT_READ | Permission.WRITE | Permission.RESIZE;
    BlockBackend backend = new BlockBackend(graph, "", graph.main(), used, Permission.ALL);
    try {
      backend.insert(node);
    } finally {
      graph.release(node);
    }
    return new CrashImage(backend, node);
  }

  BlockBackend backend() {
    return backend;
  }

  /** The same in the hands of a tool. */
  OpenImage inTool() {
    return OpenImage.over(backend, node);
  }

  InternalSnapshots snapshots() {
    return (InternalSnapshots) Objects.requireNonNull(node.driverOrNull());
  }

  Qcow2Driver qcow2() {
    return (Qcow2Driver) Objects.requireNonNull(node.driverOrNull());
  }

  /** How many passwords open it, as its header says. */
  int activeKeys() {
    Json encryption = qcow2().description().specific().members().get("encrypt");
    Json slots = ((Json.Members) Objects.requireNonNull(encryption)).members().get("slots");
    int active = 0;
    for (Json slot : ((Json.Array) Objects.requireNonNull(slots)).elements()) {
      boolean used = new Json.Bool(true).equals(((Json.Members) slot).members().get("active"));
      active += used ? 1 : 0;
    }
    return active;
  }

  OverlayImage overlay() {
    return (OverlayImage) Objects.requireNonNull(node.driverOrNull());
  }

  AmendableImage amendable() {
    return (AmendableImage) Objects.requireNonNull(node.driverOrNull());
  }

  CompactableImage compactable() {
    return (CompactableImage) Objects.requireNonNull(node.driverOrNull());
  }

  /** Adds a bitmap that the image is to keep. */
  void addBitmap(String name) throws BlockException {
    node.bitmaps().create(name, backend.lengthBytes(), 512).setPersistent(true);
  }

  /** A bitmap that goes when the image is closed. */
  DirtyBitmap addPassingBitmap(String name) throws BlockException {
    return node.bitmaps().create(name, backend.lengthBytes(), 512);
  }

  void removeBitmap(DirtyBitmap bitmap) {
    node.bitmaps().remove(bitmap);
  }

  List<DirtyBitmap> bitmaps() {
    return node.bitmaps().all();
  }

  /** Whether the image itself says what is in a part of the disk. */
  boolean isAllocated(long offset, long length) throws BlockException {
    BlockDriver.StatusSource source =
        (BlockDriver.StatusSource) Objects.requireNonNull(node.driverOrNull());
    for (long at = offset; at < offset + length; ) {
      BlockStatus status = source.blockStatus(at, offset + length - at, true);
      if ((status.flags() & BlockStatus.ALLOCATED) != 0) {
        return true;
      }
      at += status.lengthBytes();
    }
    return false;
  }

  CheckReport check(Consumer<String> lines) throws BlockException {
    return check(CheckRepair.NONE, lines);
  }

  CheckReport check(CheckRepair repair, Consumer<String> lines) throws BlockException {
    return ((BlockDriver.Checkable) Objects.requireNonNull(node.driverOrNull()))
        .check(repair, lines);
  }

  byte[] readAll() throws BlockException {
    int length = Math.toIntExact(backend.lengthBytes());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(Math.max(1, length));
      if (length > 0) {
        backend.read(0, IoVector.of(buffer.asSlice(0, length)), 0);
      }
      return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Writes some content of a {@link GuestModel}. */
  void write(long offset, long length, int content, int flags) throws BlockException {
    byte[] bytes = new byte[Math.toIntExact(length)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = GuestModel.byteAt(content, (int) offset + i);
    }
    writeBytes(offset, bytes, 0, bytes.length, flags);
  }

  /** Writes a part of some bytes. */
  void writeBytes(long offset, byte[] bytes, int from, int length, int flags)
      throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(length);
      MemorySegment.copy(bytes, from, buffer, ValueLayout.JAVA_BYTE, 0, length);
      backend.write(offset, IoVector.of(buffer), flags);
    }
  }

  /** Stores a part of a machine's memory. */
  void writeMachineState(long offset, long length, int content) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(length);
      buffer.fill((byte) content);
      snapshots().writeVmState(offset, IoVector.of(buffer));
    }
  }

  void close() {
    backend.close();
  }
}
