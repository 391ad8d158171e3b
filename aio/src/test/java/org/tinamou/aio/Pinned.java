package org.tinamou.aio;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** Runs code below a frame of native code, which pins a coroutine to its carrier. */
final class Pinned {
  private static final Linker LINKER = Linker.nativeLinker();

  private final Runnable body;
  private String failure = "";

  private Pinned(Runnable body) {
    this.body = body;
  }

  /** What the C library calls to compare two elements. */
  @SuppressWarnings("unused") // by its name
  private int compare(MemorySegment one, MemorySegment two) {
    try {
      body.run();
    } catch (IllegalStateException e) {
      failure = e.getMessage();
    }
    return 0;
  }

  /** Runs the body once; returns the message of the IllegalStateException it threw, or "". */
  static String run(Runnable body) {
    Pinned pinned = new Pinned(body);
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle compare =
          MethodHandles.lookup()
              .bind(
                  pinned,
                  "compare",
                  MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
      FunctionDescriptor comparison =
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
      MethodHandle sort =
          LINKER.downcallHandle(
              LINKER.defaultLookup().findOrThrow("qsort"),
              FunctionDescriptor.ofVoid(
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.ADDRESS));
      sort.invokeExact(arena.allocate(2), 2L, 1L, LINKER.upcallStub(compare, comparison, arena));
      return pinned.failure;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
