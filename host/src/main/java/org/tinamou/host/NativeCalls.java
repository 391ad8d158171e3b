package org.tinamou.host;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.NoSuchElementException;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * One door for every C library function: seven integers go in, the result or a negative errno comes
 * out.
 *
 * <p>All functions share one linked call shape, because linking a shape costs milliseconds at
 * start-up while one more address costs nothing. That is sound on x86-64 and aarch64 Linux for
 * functions of integer and pointer arguments, variadic ones included: integers travel in full
 * registers or stack slots, of which the callee reads the part it needs, and it never looks at
 * arguments it does not have.
 *
 * <p>Pointers travel as numbers, so callers keep the memory reachable and alive until the call
 * returns.
 */
final class NativeCalls {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();

  /** Size of the block {@link #call} needs for errno. */
  static final long CAPTURE_BYTES = CAPTURE.byteSize();

  private static final long ERRNO_OFFSET =
      CAPTURE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  private static final FunctionDescriptor SHAPE =
      FunctionDescriptor.of(
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);

  private static final MethodHandle CALL =
      LINKER.downcallHandle(SHAPE, Linker.Option.captureCallState("errno"));

  /** Linked when it is first used. */
  private static final class ShortCall {
    static final MethodHandle HANDLE = LINKER.downcallHandle(SHAPE, Linker.Option.critical(false));
  }

  private NativeCalls() {}

  /** The address of a C library function. */
  static MemorySegment function(String name) {
    return LINKER
        .defaultLookup()
        .find(name)
        .orElseThrow(() -> new NoSuchElementException("the C library has no " + name));
  }

  /**
   * Calls a function that returns {@code long}, -1 meaning that errno is set.
   *
   * @param capture {@link #CAPTURE_BYTES} of memory nobody else uses during the call
   * @return the result, or the negative errno
   */
  static long call(
      MemorySegment function,
      MemorySegment capture,
      long a,
      long b,
      long c,
      long d,
      long e,
      long f,
      long g) {
    long result;
    try {
      result = (long) CALL.invokeExact(function, capture, a, b, c, d, e, f, g);
    } catch (RuntimeException | Error thrown) {
      throw thrown;
    } catch (Throwable impossible) {
      throw new AssertionError("a downcall throws nothing checked", impossible);
    }
    return result == -1 ? -errno(capture) : result;
  }

  /**
   * Calls a function that returns within microseconds: the JVM is not told of the call, which saves
   * a tenth of it, and cannot stop the thread before its end. Nor is errno asked for.
   *
   * @return the result: -1 if it failed
   */
  static long callShort(
      MemorySegment function, long a, long b, long c, long d, long e, long f, long g) {
    try {
      return (long) ShortCall.HANDLE.invokeExact(function, a, b, c, d, e, f, g);
    } catch (RuntimeException | Error thrown) {
      throw thrown;
    } catch (Throwable impossible) {
      throw new AssertionError("a downcall throws nothing checked", impossible);
    }
  }

  /** Calls a function that returns {@code long}; up to four arguments. */
  static long callLong(MemorySegment function, long a, long b, long c, long d) {
    Scratch scratch = Scratch.take();
    try {
      return call(function, scratch.capture, a, b, c, d, 0, 0, 0);
    } finally {
      scratch.release();
    }
  }

  /** Calls a function that returns {@code int}; up to four arguments. */
  static int callInt(MemorySegment function, long a, long b, long c, long d) {
    Scratch scratch = Scratch.take();
    try {
      return callInt(function, scratch, a, b, c, d);
    } finally {
      scratch.release();
    }
  }

  /** Calls a function that returns {@code int}, with scratch memory the caller has borrowed. */
  static int callInt(MemorySegment function, Scratch scratch, long a, long b, long c, long d) {
    return callInt(function, scratch.capture, a, b, c, d, 0);
  }

  /** As {@link #call}, for a function that returns {@code int}; up to five arguments. */
  static int callInt(
      MemorySegment function, MemorySegment capture, long a, long b, long c, long d, long e) {
    long result = call(function, capture, a, b, c, d, e, 0, 0);
    // The upper half of the register is undefined, so -1 may look like 0x00000000ffffffff.
    int narrow = (int) result;
    return narrow == -1 && result != -1 ? -errno(capture) : narrow;
  }

  /** The address of memory the kernel may touch. */
  static long address(MemorySegment memory) {
    Check.argument(memory.isNative(), "a heap segment cannot be handed to the kernel");
    return memory.address();
  }

  private static int errno(MemorySegment capture) {
    return capture.get(ValueLayout.JAVA_INT, ERRNO_OFFSET);
  }

  /** Passes a good result on and turns a negative errno into an exception. */
  static int checked(int result, String context) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(Errno.ofResult(result), context);
    }
    return result;
  }

  /** As {@link #checked(int, String)}. */
  static long checked(long result, String context) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(Errno.ofResult(result), context);
    }
    return result;
  }
}
