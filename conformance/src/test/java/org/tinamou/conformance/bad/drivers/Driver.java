package org.tinamou.conformance.bad.drivers;

import java.lang.foreign.Linker;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;

/** A driver that does all that a driver must not; each method is one violation. */
public final class Driver {
  private final Object monitor = new Object();
  private int count;

  void sleeps() throws InterruptedException {
    Thread.sleep(1);
  }

  void parksWithTime() {
    LockSupport.parkNanos(1);
  }

  void waits() throws InterruptedException {
    monitor.wait();
  }

  void awaits(CountDownLatch latch) throws InterruptedException {
    latch.await();
  }

  Object takes(LinkedBlockingQueue<Object> queue) throws InterruptedException {
    return queue.take();
  }

  Object gets(CompletableFuture<Object> future) throws Exception {
    return future.get();
  }

  void interrupts(Thread thread) {
    thread.interrupt();
  }

  Runnable waitsInLambda(CompletableFuture<Object> future) {
    return () -> future.join();
  }

  void handsToWorkers(CompletableFuture<Object> future) {
    callBlocking(() -> future.join());
  }

  private static void callBlocking(Runnable job) {
    job.run();
  }

  synchronized void locksItself() {
    count++;
  }

  void entersMonitor() {
    synchronized (monitor) {
      count++;
    }
  }

  long tellsTime() {
    return System.nanoTime();
  }

  int rollsDice() {
    return new Random().nextInt(6);
  }

  String inventsNames() {
    return UUID.randomUUID().toString();
  }

  void leaves() {
    System.exit(1);
  }

  Object callsNativeCode() {
    return Linker.nativeLinker();
  }

  void opensTheJdk() throws ReflectiveOperationException {
    Thread.class.getDeclaredField("eetop").setAccessible(true);
  }
}
