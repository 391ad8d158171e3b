package org.tinamou.host;

import static org.tinamou.host.UringAbi.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;

/**
 * One io_uring: operations are prepared in shared memory, handed to the kernel by a single call a
 * batch, and their completions read from shared memory. Nothing is allocated per operation.
 *
 * <p>Thread rule: the thread that first calls {@link #submit} owns the ring from then on; it alone
 * prepares, submits and reads completions. {@link #close} may come from elsewhere once that thread
 * is done.
 *
 * <p>Buffers must be off-heap and stay alive until their operation completes; arrays of {@code
 * struct iovec} only until the operation has been submitted.
 */
public final class IoUring implements AutoCloseable {
  /** Waits without a limit when passed to {@link #submitAndWait}. */
  public static final long FOREVER = Long.MAX_VALUE;

  /** For {@link #changeLast}: the descriptor is an index into the registered files. */
  public static final int FIXED_FILE = 1;

  /** For {@link #changeLast}: the next operation starts after this one has succeeded. */
  public static final int LINK = 1 << 2;

  /** For {@link #changeLast}: a worker of the kernel runs the operation in any case. */
  public static final int ASYNC = 1 << 4;

  /** For {@link #changeLast}: success is not reported. */
  public static final int SKIP_SUCCESS = 1 << 6;

  /** In {@link #flags}: the operation goes on and will report again. */
  public static final int MORE = 1 << 1;

  static final MemorySegment SYSCALL = NativeCalls.function("syscall");

  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final long ARGUMENT_BYTES = 24;

  private final UringSetup setup;
  private final MemorySegment rings;
  private final MemorySegment entries;
  private final long sqHeadOffset;
  private final long sqTailOffset;
  private final long sqFlagsOffset;
  private final long cqHeadOffset;
  private final long cqTailOffset;
  private final long cqesOffset;
  private final int sqEntries;
  private final int sqMask;
  private final int cqMask;

  private final MemorySegment capture;
  private final MemorySegment waitArgument;
  private final MemorySegment timespec;

  /** Entries prepared so far, and how many of them the kernel was seen to have taken. */
  private int sqTail;

  private int sqHeadSeen;
  private int cqHead;
  private boolean enabled;
  private boolean closed;

  private IoUring(UringSetup setup) {
    this.setup = setup;
    this.rings = setup.rings;
    this.entries = setup.entries;
    this.sqHeadOffset = setup.param(SQ_HEAD);
    this.sqTailOffset = setup.param(SQ_TAIL);
    this.sqFlagsOffset = setup.param(SQ_FLAGS);
    this.cqHeadOffset = setup.param(CQ_HEAD);
    this.cqTailOffset = setup.param(CQ_TAIL);
    this.cqesOffset = setup.param(CQ_CQES);
    this.sqEntries = setup.param(PARAMS_SQ_ENTRIES);
    this.sqMask = sqEntries - 1;
    this.cqMask = setup.param(PARAMS_CQ_ENTRIES) - 1;
    this.enabled = !setup.has(SETUP_R_DISABLED);
    Arena arena = Arena.ofAuto();
    this.capture = arena.allocate(NativeCalls.CAPTURE_BYTES, 8);
    this.waitArgument = arena.allocate(ARGUMENT_BYTES, 8);
    this.timespec = arena.allocate(16, 8);
    if (!setup.has(SETUP_NO_SQARRAY)) {
      for (int i = 0; i < sqEntries; i++) {
        rings.set(ValueLayout.JAVA_INT, setup.param(SQ_ARRAY) + i * 4L, i);
      }
    }
  }

  /**
   * Makes a ring for one thread.
   *
   * @param entries how many operations fit between two calls of {@link #submit}; rounded up to a
   *     power of two, cut to what the kernel allows
   * @param completionEntries how many completions fit unread; more are kept by the kernel and come
   *     later
   * @throws ErrnoException ENOSYS, EPERM, ENOMEM...: the kernel has no io_uring, forbids it or has
   *     no memory left for it
   */
  public static IoUring open(int entries, int completionEntries) throws ErrnoException {
    return new IoUring(UringSetup.make(entries, completionEntries, true));
  }

  /** As {@link #open}, for a ring that several threads use in turn, at some cost per operation. */
  public static IoUring openShared(int entries, int completionEntries) throws ErrnoException {
    return new IoUring(UringSetup.make(entries, completionEntries, false));
  }

  /** The ring's own descriptor, e.g. to send it messages. */
  public int ringFd() {
    return setup.ringFd;
  }

  /** How many operations fit between two calls of {@link #submit}. */
  public int capacity() {
    return sqEntries;
  }

  // ---- preparing operations

  /** How many operations can be prepared before {@link #submit} must be called. */
  public int spaceLeft() {
    if (sqTail - sqHeadSeen >= sqEntries) {
      sqHeadSeen = (int) INT.getAcquire(rings, sqHeadOffset);
    }
    return sqEntries - (sqTail - sqHeadSeen);
  }

  /** Operations prepared and not yet taken by the kernel. */
  public int unsubmitted() {
    sqHeadSeen = (int) INT.getAcquire(rings, sqHeadOffset);
    return sqTail - sqHeadSeen;
  }

  /** Index, below {@link #capacity}, of the entry the next operation goes to. */
  public int nextIndex() {
    return sqTail & sqMask;
  }

  public void prepareNop(long userData) {
    prepare(OP_NOP, -1, 0, 0, 0, 0, userData, 0);
  }

  /** Reads into the whole buffer, but at most {@link LinuxFiles#MAX_TRANSFER_BYTES}. */
  public void prepareRead(int fd, MemorySegment buffer, long offsetBytes, long userData) {
    prepareTransfer(OP_READ, fd, buffer, offsetBytes, userData, 0);
  }

  /**
   * Receives from a socket, at most {@link LinuxFiles#MAX_TRANSFER_BYTES}.
   *
   * @param all whether to wait until the buffer is full
   */
  public void prepareReceive(int fd, MemorySegment buffer, boolean all, long userData) {
    int length = (int) Math.min(buffer.byteSize(), LinuxFiles.MAX_TRANSFER_BYTES);
    int flags = all ? Sockets.MSG_WAITALL : 0;
    prepare(OP_RECV, fd, 0, NativeCalls.address(buffer), length, flags, userData, 0);
  }

  /** Writes the whole buffer, but at most {@link LinuxFiles#MAX_TRANSFER_BYTES}. */
  public void prepareWrite(int fd, MemorySegment buffer, long offsetBytes, long userData) {
    prepareTransfer(OP_WRITE, fd, buffer, offsetBytes, userData, 0);
  }

  /** Reads into a part of a registered buffer. */
  public void prepareReadFixed(
      int fd, MemorySegment buffer, int bufferIndex, long offsetBytes, long userData) {
    prepareTransfer(OP_READ_FIXED, fd, buffer, offsetBytes, userData, bufferIndex);
  }

  /** Writes a part of a registered buffer. */
  public void prepareWriteFixed(
      int fd, MemorySegment buffer, int bufferIndex, long offsetBytes, long userData) {
    prepareTransfer(OP_WRITE_FIXED, fd, buffer, offsetBytes, userData, bufferIndex);
  }

  /**
   * Reads into several buffers.
   *
   * @param iovecs made by {@link Iovecs#write}, whose result is {@code count}
   */
  public void prepareReadv(
      int fd, MemorySegment iovecs, int count, long offsetBytes, long userData) {
    prepare(OP_READV, fd, offsetBytes, iovecs.address(), count, 0, userData, 0);
  }

  /** Writes several buffers, as {@link #prepareReadv}. */
  public void prepareWritev(
      int fd, MemorySegment iovecs, int count, long offsetBytes, long userData) {
    prepare(OP_WRITEV, fd, offsetBytes, iovecs.address(), count, 0, userData, 0);
  }

  /** Flushes a file. */
  public void prepareFsync(int fd, boolean dataOnly, long userData) {
    prepare(OP_FSYNC, fd, 0, 0, 0, dataOnly ? FSYNC_DATASYNC : 0, userData, 0);
  }

  /**
   * Changes how a range of a file is allocated.
   *
   * @param mode bits of {@link FallocateMode}
   */
  public void prepareFallocate(
      int fd, int mode, long offsetBytes, long lengthBytes, long userData) {
    prepare(OP_FALLOCATE, fd, offsetBytes, lengthBytes, mode, 0, userData, 0);
  }

  /** Reports once, when one of the events ({@link Epoll#IN} ...) holds; at once if it does now. */
  public void preparePollAdd(int fd, int eventBits, long userData) {
    prepare(OP_POLL_ADD, fd, 0, 0, 0, eventBits, userData, 0);
  }

  /** Reports each time events arise, until a completion without {@link #MORE}. */
  public void preparePollMultishot(int fd, int eventBits, long userData) {
    prepare(OP_POLL_ADD, fd, 0, 0, POLL_ADD_MULTI, eventBits, userData, 0);
  }

  /** Ends the poll prepared with {@code pollUserData}, which reports {@code -ECANCELED}. */
  public void preparePollRemove(long pollUserData, long userData) {
    prepare(OP_POLL_REMOVE, -1, 0, pollUserData, 0, 0, userData, 0);
  }

  /**
   * Reports {@code -ETIME} after a time, or 0 once {@code completions} operations have completed.
   *
   * @param timespec seconds and nanoseconds as two longs; needed only until submitted
   * @param completions 0 for the time alone
   */
  public void prepareTimeout(MemorySegment timespec, int completions, long userData) {
    long address = NativeCalls.address(timespec);
    prepare(OP_TIMEOUT, -1, completions, address, 1, 0, userData, 0);
  }

  /** Ends the timeout prepared with {@code timeoutUserData}, which reports {@code -ECANCELED}. */
  public void prepareTimeoutRemove(long timeoutUserData, long userData) {
    prepare(OP_TIMEOUT_REMOVE, -1, 0, timeoutUserData, 0, 0, userData, 0);
  }

  /**
   * Tries to end the operation prepared with {@code targetUserData}.
   *
   * <p>Reports 0 if it was found, {@code -ENOENT} if not, {@code -EALREADY} if it can no longer be
   * stopped; the operation itself completes as ever.
   */
  public void prepareCancel(long targetUserData, long userData) {
    prepare(OP_ASYNC_CANCEL, -1, 0, targetUserData, 0, 0, userData, 0);
  }

  /** Puts a completion with the given result and user data into another ring. */
  public void prepareMessage(int targetRingFd, int result, long targetUserData, long userData) {
    prepare(OP_MSG_RING, targetRingFd, targetUserData, 0, result, 0, userData, 0);
  }

  /** Adds flags ({@link #FIXED_FILE} ...) to the operation prepared last. */
  public void changeLast(int flags) {
    long offset = (long) ((sqTail - 1) & sqMask) * SQE_BYTES + 1;
    byte old = entries.get(ValueLayout.JAVA_BYTE, offset);
    entries.set(ValueLayout.JAVA_BYTE, offset, (byte) (old | flags));
  }

  private void prepareTransfer(
      int opcode, int fd, MemorySegment buffer, long offset, long userData, int bufferIndex) {
    long address = NativeCalls.address(buffer);
    int length = (int) Math.min(buffer.byteSize(), LinuxFiles.MAX_TRANSFER_BYTES);
    prepare(opcode, fd, offset, address, length, 0, userData, bufferIndex);
  }

  private void prepare(
      int opcode,
      int fd,
      long offset,
      long address,
      int length,
      int operationFlags,
      long userData,
      int bufferIndex) {
    Check.state(!closed && spaceLeft() > 0, "no room in the ring");
    long base = (long) (sqTail & sqMask) * SQE_BYTES;
    MemorySegment entry = entries;
    entry.set(LONG, base, opcode | ((long) fd << 32));
    entry.set(LONG, base + 8, offset);
    entry.set(LONG, base + 16, address);
    entry.set(LONG, base + 24, (length & 0xffffffffL) | ((long) operationFlags << 32));
    entry.set(LONG, base + 32, userData);
    entry.set(LONG, base + 40, bufferIndex);
    entry.set(LONG, base + 48, 0);
    entry.set(LONG, base + 56, 0);
    sqTail++;
  }

  // ---- entering the kernel

  /**
   * Hands over what was prepared, without waiting; completions may be there at once.
   *
   * @return as {@link #submitAndWait}
   */
  public int submit() {
    return enter(0, 0);
  }

  /**
   * Hands over what was prepared and waits for completions, in one call.
   *
   * @param completions how many to wait for; those not yet consumed count
   * @param timeoutNanos how long to wait at most, or {@link #FOREVER}
   * @return operations handed over, which may be fewer than prepared: the rest stays prepared; or a
   *     negative errno: {@code -EAGAIN} and {@code -EBUSY} ask to consume completions and try
   *     again, the rest means that the ring was misused. Ending by a signal or by time is no error.
   */
  public int submitAndWait(int completions, long timeoutNanos) {
    return enter(completions, timeoutNanos);
  }

  /** Whether the kernel holds completions that only {@link #submit} brings to light. */
  public boolean needsEnter() {
    int flags = (int) INT.getAcquire(rings, sqFlagsOffset);
    return (flags & (SQ_CQ_OVERFLOW | SQ_TASKRUN)) != 0;
  }

  private int enter(int completions, long timeoutNanos) {
    Check.state(!closed, "the ring is closed");
    if (!enabled) {
      enable();
    }
    INT.setRelease(rings, sqTailOffset, sqTail);
    int flags = ENTER_GETEVENTS;
    long argument = 0;
    long argumentBytes = 0;
    if (completions > 0 && timeoutNanos != FOREVER) {
      timespec.set(LONG, 0, timeoutNanos / 1_000_000_000);
      timespec.set(LONG, 8, timeoutNanos % 1_000_000_000);
      waitArgument.set(LONG, 16, timespec.address());
      flags |= ENTER_EXT_ARG;
      argument = waitArgument.address();
      argumentBytes = ARGUMENT_BYTES;
    }
    long result =
        NativeCalls.call(
            SYSCALL,
            capture,
            SYS_ENTER,
            setup.ringFd,
            unsubmitted(),
            completions,
            flags,
            argument,
            argumentBytes);
    if (result == -Errno.ETIME.number() || result == -Errno.EINTR.number()) {
      return 0;
    }
    return (int) result;
  }

  private void enable() {
    long result = register(REGISTER_ENABLE_RINGS, 0, 0);
    Check.state(result == 0, "cannot enable the ring: %s", result);
    enabled = true;
  }

  // ---- completions

  /** How many completions can be read with {@link #userData}, {@link #result}, {@link #flags}. */
  public int completions() {
    Check.state(!closed, "the ring is closed");
    return (int) INT.getAcquire(rings, cqTailOffset) - cqHead;
  }

  /** What the index-th unread completion's operation was prepared with. */
  public long userData(int index) {
    return rings.get(LONG, completionOffset(index));
  }

  /** The index-th unread completion's result, or a negative errno. */
  public int result(int index) {
    return rings.get(ValueLayout.JAVA_INT, completionOffset(index) + 8);
  }

  /** The index-th unread completion's flags, e.g. {@link #MORE}. */
  public int flags(int index) {
    return rings.get(ValueLayout.JAVA_INT, completionOffset(index) + 12);
  }

  /** Gives the first {@code count} unread completions back to the kernel. */
  public void consume(int count) {
    cqHead += count;
    INT.setRelease(rings, cqHeadOffset, cqHead);
  }

  private long completionOffset(int index) {
    return cqesOffset + (long) ((cqHead + index) & cqMask) * CQE_BYTES;
  }

  // ---- registered resources

  /** Makes files known to the kernel, for {@link #FIXED_FILE}; -1 leaves an index empty. */
  public void registerFiles(int... fds) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      long array = arena.allocateFrom(ValueLayout.JAVA_INT, fds).address();
      NativeCalls.checked(register(REGISTER_FILES, array, fds.length), "register files");
    }
  }

  /** Replaces one registered file; -1 empties the index. */
  public void updateFile(int index, int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment update = arena.allocate(16, 8);
      MemorySegment array = arena.allocateFrom(ValueLayout.JAVA_INT, fd);
      update.set(ValueLayout.JAVA_INT, 0, index);
      update.set(LONG, 8, array.address());
      long result = register(REGISTER_FILES_UPDATE, update.address(), 1);
      NativeCalls.checked(result, "update registered file");
    }
  }

  public void unregisterFiles() throws ErrnoException {
    NativeCalls.checked(register(UNREGISTER_FILES, 0, 0), "unregister files");
  }

  /**
   * Pins buffers for {@link #prepareReadFixed} and {@link #prepareWriteFixed}; they must stay alive
   * until {@link #unregisterBuffers} or {@link #close}.
   */
  public void registerBuffers(List<MemorySegment> buffers) throws ErrnoException {
    IoVector vector = IoVector.of(buffers);
    Check.argument(
        vector.segments().size() == buffers.size() && buffers.size() <= Iovecs.MAX_COUNT,
        "cannot register empty buffers or more than %s",
        Iovecs.MAX_COUNT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment iovecs = arena.allocate(Iovecs.bytes(buffers.size()), 8);
      int count = Iovecs.write(vector, iovecs);
      long result = register(REGISTER_BUFFERS, iovecs.address(), count);
      NativeCalls.checked(result, "register buffers");
    }
  }

  public void unregisterBuffers() throws ErrnoException {
    NativeCalls.checked(register(UNREGISTER_BUFFERS, 0, 0), "unregister buffers");
  }

  private long register(int operation, long argument, int count) {
    return NativeCalls.call(
        SYSCALL, capture, SYS_REGISTER, setup.ringFd, operation, argument, count, 0, 0);
  }

  /** Frees the ring; operations still in flight are cancelled by the kernel, some time later. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      setup.close();
    }
  }
}
