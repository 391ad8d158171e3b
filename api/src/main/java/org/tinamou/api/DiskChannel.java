package org.tinamou.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import org.tinamou.base.Check;

/** A position on a disk. */
final class DiskChannel implements SeekableByteChannel {
  private final VirtualDisk disk;
  private long position;
  private boolean closed;

  DiskChannel(VirtualDisk disk) {
    this.disk = disk;
  }

  private void requireOpen() throws ClosedChannelException {
    if (closed) {
      throw new ClosedChannelException();
    }
  }

  /** The part of a buffer that lies inside of the disk. */
  private ByteBuffer inside(ByteBuffer buffer) throws IOException {
    long left = Math.max(0, disk.sizeBytes() - position);
    return buffer.slice(buffer.position(), (int) Math.min(buffer.remaining(), left));
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    requireOpen();
    ByteBuffer part = inside(target);
    int length = part.remaining();
    if (length == 0) {
      return target.hasRemaining() ? -1 : 0;
    }
    disk.read(position, part);
    target.position(target.position() + length);
    position += length;
    return length;
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    requireOpen();
    if (disk.isReadOnly()) {
      throw new NonWritableChannelException();
    }
    ByteBuffer part = inside(source);
    int length = part.remaining();
    if (length == 0 && source.hasRemaining()) {
      throw new IOException("write at " + position + " is beyond the end of the disk");
    }
    disk.write(position, part);
    source.position(source.position() + length);
    position += length;
    return length;
  }

  @Override
  public long position() throws IOException {
    requireOpen();
    return position;
  }

  @Override
  public SeekableByteChannel position(long newPosition) throws IOException {
    requireOpen();
    Check.argument(newPosition >= 0, "negative position %s", newPosition);
    position = newPosition;
    return this;
  }

  @Override
  public long size() throws IOException {
    requireOpen();
    return disk.sizeBytes();
  }

  @Override
  public SeekableByteChannel truncate(long size) throws IOException {
    requireOpen();
    Check.argument(size >= 0, "negative size %s", size);
    if (disk.isReadOnly()) {
      throw new NonWritableChannelException();
    }
    if (size < disk.sizeBytes()) {
      disk.resize(size);
    }
    position = Math.min(position, size);
    return this;
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      if (!disk.isReadOnly()) {
        disk.flush();
      }
    }
  }
}
