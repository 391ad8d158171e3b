package org.tinamou.drivers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionList;

/** A disk in a graph of its own, opened by options and used through a backend. */
public final class TestDisk {
  private static final NodeOptions OPTIONS = NodeOptions.READ_WRITE.withDiscardUnmap(true);

  private final BlockGraph graph;
  private final BlockBackend backend;
  private final BlockNode node;

  private TestDisk(BlockGraph graph, BlockBackend backend, BlockNode node) {
    this.graph = graph;
    this.backend = backend;
    this.node = node;
  }

  /** Opens what {@code driver=…,file.driver=…} asks for, to read, write and resize. */
  public static TestDisk open(AioContext context, String options) throws BlockException {
    return open(context, options, OPTIONS, Permission.ALL, Permission.ALL);
  }

  public static TestDisk open(
      AioContext context, String options, NodeOptions defaults, int used, int shared)
      throws BlockException {
    Json.Members members = new Json.Members();
    OptionList.values(options).forEach(members::put);
    return open(context, ImageAddress.ofOptions(members), defaults, used, shared);
  }

  /** Opens what has a name, as tools do. */
  public static TestDisk openName(AioContext context, String name) throws BlockException {
    return open(context, ImageAddress.ofName(name, "raw"), OPTIONS, Permission.ALL, Permission.ALL);
  }

  private static TestDisk open(
      AioContext context, ImageAddress address, NodeOptions defaults, int used, int shared)
      throws BlockException {
    BlockGraph graph = new BlockGraph(context);
    BlockNode node = new NodeOpener(graph, Drivers.list()).open(address, defaults, context);
    BlockBackend backend = new BlockBackend(graph, "", context, used, shared);
    try {
      backend.insert(node);
    } catch (BlockException refused) {
      backend.close();
      throw refused;
    } finally {
      graph.release(node);
    }
    return new TestDisk(graph, backend, node);
  }

  public BlockGraph graph() {
    return graph;
  }

  public BlockBackend backend() {
    return backend;
  }

  public BlockNode node() {
    return node;
  }

  public byte[] read(long offsetBytes, int lengthBytes) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(lengthBytes);
      buffer.fill((byte) 0x55);
      backend.read(offsetBytes, IoVector.of(buffer), 0);
      return buffer.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  public void write(long offsetBytes, byte[] bytes) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(bytes.length);
      MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
      backend.write(offsetBytes, IoVector.of(buffer), 0);
    }
  }

  public void fill(long offsetBytes, int lengthBytes, int value) throws BlockException {
    byte[] bytes = new byte[lengthBytes];
    java.util.Arrays.fill(bytes, (byte) value);
    write(offsetBytes, bytes);
  }

  public void close() {
    backend.close();
  }
}
