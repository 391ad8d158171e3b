package org.tinamou.block.bitmap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;

/** Real threads on one bitmap; how they interleave is up to the machine. */
final class BitmapConcurrencyTest {
  private static final int WRITERS = 4;
  private static final long GRANULE = 512;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  private List<Future<?>> writers(java.util.function.IntConsumer body) {
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      int number = i;
      futures.add(threads.submit(() -> body.accept(number)));
    }
    return futures;
  }

  private static void await(List<Future<?>> futures) throws Exception {
    for (Future<?> future : futures) {
      future.get();
    }
  }

  @Test
  void nothingMarkedIsLost() throws Exception {
    int granules = 40_000;
    DirtyBitmap bitmap = new DirtyBitmap(null, granules * GRANULE, GRANULE);
    await(
        writers(
            number -> {
              for (int i = number; i < granules; i += WRITERS) {
                bitmap.mark(i * GRANULE, 1);
              }
            }));
    assertEquals(granules * GRANULE, bitmap.countBytes());
    await(
        writers(
            number -> {
              for (int i = number; i < granules; i += WRITERS) {
                if (i % 3 != 0) {
                  bitmap.reset(i * GRANULE, GRANULE);
                }
              }
            }));
    assertEquals((granules + 2) / 3 * GRANULE, bitmap.countBytes());
    DirtyIterator iterator = bitmap.iterator();
    for (int i = 0; i < granules; i += 3) {
      assertEquals(i * GRANULE, iterator.next());
    }
    assertEquals(-1, iterator.next());
  }

  /** As mirroring does: whoever takes a granule off the bitmap afterwards sees what was written. */
  @Test
  void whoeverTakesAGranuleSeesItsData() throws Exception {
    int granules = 30_000;
    int rounds = 3;
    DirtyBitmap bitmap = new DirtyBitmap(null, granules * GRANULE, GRANULE);
    AtomicIntegerArray data = new AtomicIntegerArray(granules);
    int[] copy = new int[granules];
    AtomicBoolean done = new AtomicBoolean();
    Future<?> mirror =
        threads.submit(
            () -> {
              boolean last = false;
              DirtyIterator iterator = bitmap.iterator();
              while (true) {
                long at = iterator.next();
                if (at >= 0) {
                  bitmap.reset(at, GRANULE);
                  int granule = (int) (at / GRANULE);
                  copy[granule] = data.get(granule);
                } else if (last) {
                  return;
                } else {
                  last = done.get();
                  iterator.seek(0);
                }
              }
            });
    await(
        writers(
            number -> {
              SeededRandom random = new SeededRandom(number);
              for (int i = 0; i < rounds * granules; i++) {
                int granule = random.nextInt(granules);
                data.incrementAndGet(granule);
                bitmap.mark(granule * GRANULE, GRANULE);
              }
            }));
    done.set(true);
    mirror.get();
    assertEquals(0, bitmap.countBytes());
    for (int i = 0; i < granules; i++) {
      assertEquals(data.get(i), copy[i], "granule " + i);
    }
  }

  /** Writers mark while a bitmap is frozen and reclaimed again and again. */
  @Test
  void noWriteFallsBetweenABitmapAndItsSuccessor() throws BlockException, Exception {
    int granules = 50_000;
    BitmapList list = new BitmapList();
    DirtyBitmap bitmap = list.create("b", granules * GRANULE, GRANULE);
    // Whoever marks walks over these first, and meanwhile the last one is frozen.
    for (int i = 0; i < 100; i++) {
      list.create("other" + i, GRANULE, GRANULE).disable();
    }
    AtomicInteger running = new AtomicInteger(WRITERS);
    AtomicInteger marked = new AtomicInteger();
    List<Future<?>> futures =
        writers(
            number -> {
              for (int i = number; i < granules; i += WRITERS) {
                list.mark(i * GRANULE, 1);
                marked.incrementAndGet();
              }
              running.decrementAndGet();
            });
    int freezes = 0;
    while (running.get() > 0 || freezes == 0) {
      int before = marked.get();
      list.createSuccessor(bitmap);
      while (marked.get() - before < 2 * WRITERS && running.get() > 0) {
        Thread.onSpinWait();
      }
      list.reclaim(bitmap);
      freezes++;
    }
    await(futures);
    assertTrue(bitmap.isEnabled());
    assertEquals(granules * GRANULE, bitmap.countBytes());
  }
}
