package org.tinamou.aio.poller;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.tinamou.aio.IoOp;
import org.tinamou.aio.IoRequest;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.Sockets;

/** Requests as system calls of Linux. */
final class LinuxFileCalls {
  private LinuxFileCalls() {}

  static long perform(IoRequest request) {
    int fd = request.fd();
    long offset = request.offsetBytes();
    MemorySegment segment = request.segment();
    return switch (request.op()) {
      case READ ->
          segment != null
              ? LinuxFiles.pread(fd, segment, offset)
              : LinuxFiles.preadv(fd, Objects.requireNonNull(request.vector()), offset);
      case WRITE ->
          segment != null
              ? LinuxFiles.pwrite(fd, segment, offset)
              : LinuxFiles.pwritev(fd, Objects.requireNonNull(request.vector()), offset);
      case RECEIVE, RECEIVE_ALL ->
          Sockets.awaitReceived(
              fd, Objects.requireNonNull(segment), request.op() == IoOp.RECEIVE_ALL);
      case FSYNC -> LinuxFiles.fsync(fd);
      case FDATASYNC -> LinuxFiles.fdatasync(fd);
      case FALLOCATE -> LinuxFiles.fallocate(fd, request.mode(), offset, request.lengthBytes());
    };
  }
}
