package org.tinamou.aio;

/** What an {@link IoRequest} asks of the host. */
public enum IoOp {
  /** Reads into the buffer; the result is the number of bytes, 0 at the end of the file. */
  READ,
  /** Writes the buffer; the result is the number of bytes, possibly fewer than asked. */
  WRITE,
  /** Flushes data and metadata. */
  FSYNC,
  /** Flushes data and the metadata needed to read it back. */
  FDATASYNC,
  /** fallocate(2) with {@link IoRequest#mode()} over offset and length. */
  FALLOCATE,
  /** Receives from a socket; the result is the number of bytes, 0 at the end. */
  RECEIVE,
  /** As {@link #RECEIVE}, until the buffer is full: fewer bytes at the end or before an error. */
  RECEIVE_ALL
}
