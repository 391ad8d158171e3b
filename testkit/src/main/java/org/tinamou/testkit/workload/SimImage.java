package org.tinamou.testkit.workload;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.IoEngine;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.format.raw.RawFormat;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.drivers.protocol.file.FileDriver;
import org.tinamou.drivers.protocol.file.FileNode;
import org.tinamou.drivers.protocol.file.FileOptions;

/** One file of the simulated disk, reached through one layer or through all of them. */
interface SimImage {
  /** Writes every byte; null, or what went wrong. */
  @Nullable Errno write(MemorySegment buffer, long offsetBytes);

  /** Reads every byte, zeroes beyond the end; null, or what went wrong. */
  @Nullable Errno read(MemorySegment buffer, long offsetBytes);

  /** Null, or what went wrong. */
  @Nullable Errno flush();

  void close() throws Exception;

  /** Straight to the loop's I/O engine, continuing short transfers here. */
  final class Direct implements SimImage {
    private final int fd;

    private Direct(int fd) {
      this.fd = fd;
    }

    static SimImage open(Path path) throws ErrnoException {
      AioContext here = Coroutine.current().context();
      return new Direct(
          here.callBlocking(
              () -> here.hostFiles().open(path, 0600, OpenFlag.CREATE, OpenFlag.READ_WRITE)));
    }

    private static IoEngine io() {
      return Coroutine.current().context().io();
    }

    @Override
    public @Nullable Errno write(MemorySegment buffer, long offsetBytes) {
      for (long done = 0; done < buffer.byteSize(); ) {
        long result = io().write(fd, buffer.asSlice(done), offsetBytes + done);
        if (result <= 0) {
          return result == 0 ? Errno.EIO : Errno.ofResult(result);
        }
        done += result;
      }
      return null;
    }

    @Override
    public @Nullable Errno read(MemorySegment buffer, long offsetBytes) {
      for (long done = 0; done < buffer.byteSize(); ) {
        long result = io().read(fd, buffer.asSlice(done), offsetBytes + done);
        if (result < 0) {
          return Errno.ofResult(result);
        }
        if (result == 0) {
          buffer.asSlice(done).fill((byte) 0);
          return null;
        }
        done += result;
      }
      return null;
    }

    @Override
    public @Nullable Errno flush() {
      long result = io().fdatasync(fd);
      return result < 0 ? Errno.ofResult(result) : null;
    }

    @Override
    public void close() throws ErrnoException {
      AioContext here = Coroutine.current().context();
      here.callBlocking(
          () -> {
            here.hostFiles().close(fd);
            return true;
          });
    }
  }

  /** A backend on a raw node on a file node. */
  final class ThroughGraph implements SimImage {
    private final BlockGraph graph;
    private final BlockNode file;
    private final BlockNode raw;
    private final BlockBackend backend;

    private ThroughGraph(BlockGraph graph, BlockNode file, BlockNode raw, BlockBackend backend) {
      this.graph = graph;
      this.file = file;
      this.raw = raw;
      this.backend = backend;
    }

    static SimImage open(Path path, long sizeBytes) throws Exception {
      AioContext main = Coroutine.current().context();
      Direct.open(path).close(); // creates it
      BlockGraph graph = new BlockGraph(main);
      BlockNode file =
          graph.open(
              "file",
              false,
              main,
              node ->
                  FileNode.of(
                      node,
                      FileDriver.open(
                          main, path, path.toString(), FileOptions.writing(CacheMode.WRITEBACK)),
                      true));
      BlockNode raw = graph.open("raw", false, main, node -> RawFormat.open(node, file));
      BlockBackend backend =
          new BlockBackend(graph, "disk", main, Permission.ALL, Permission.CONSISTENT_READ);
      backend.insert(raw);
      if (backend.lengthBytes() < sizeBytes) {
        backend.truncate(sizeBytes, true, PreallocationMode.OFF);
      }
      return new ThroughGraph(graph, file, raw, backend);
    }

    @Override
    public @Nullable Errno write(MemorySegment buffer, long offsetBytes) {
      try {
        backend.write(offsetBytes, IoVector.of(buffer), 0);
        return null;
      } catch (BlockException e) {
        return e.errno();
      }
    }

    @Override
    public @Nullable Errno read(MemorySegment buffer, long offsetBytes) {
      try {
        backend.read(offsetBytes, IoVector.of(buffer), 0);
        return null;
      } catch (BlockException e) {
        return e.errno();
      }
    }

    @Override
    public @Nullable Errno flush() {
      try {
        backend.flush();
        return null;
      } catch (BlockException e) {
        return e.errno();
      }
    }

    @Override
    public void close() {
      backend.close();
      graph.release(raw);
      graph.release(file);
    }
  }
}
