package org.tinamou.tools.img;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WritingOrderTest {
  @Test
  void whoBringsWhatComesNextDoesWhatOthersHaveBrought() {
    WritingOrder<String> order = new WritingOrder<>();
    assertNull(order.bring(1, "b"));
    assertEquals("a", order.bring(0, "a"));
    assertNull(order.bring(2, "c"));
    assertEquals("b", order.done());
    assertEquals("c", order.done());
    assertNull(order.done());
    assertNull(order.bring(4, "e"));
    assertEquals("d", order.bring(3, "d"));
    assertEquals("e", order.done());
    assertNull(order.done());
  }

  @Test
  void threadsDoEverythingInOrderAndNothingTwice() throws Exception {
    int threads = 4;
    int pieces = 20_000;
    WritingOrder<Integer> order = new WritingOrder<>();
    AtomicInteger taken = new AtomicInteger();
    List<Integer> done = new ArrayList<>(); // by one thread at a time, or the list would show it
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> workers = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        workers.add(
            executor.submit(
                () -> {
                  int piece;
                  while ((piece = taken.getAndIncrement()) < pieces) {
                    Integer next = order.bring(piece, piece);
                    while (next != null) {
                      done.add(next);
                      next = order.done();
                    }
                  }
                }));
      }
      for (Future<?> worker : workers) {
        worker.get();
      }
    }
    assertEquals(IntStream.range(0, pieces).boxed().toList(), done);
  }
}
