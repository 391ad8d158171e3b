package org.tinamou.bench;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.IoEngine;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Check;
import org.tinamou.host.IoUring;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.OpenFlags;

/**
 * Cached 4 KiB reads at depth 64 from one file: a bare ring that keeps 64 reads outstanding against
 * 64 coroutines of a loop that read one after the other. Both take turns in one JVM, on one thread.
 * Where {@code qemu-img} is installed, its own benchmark of the same file takes turns with them.
 *
 * <p>Arguments: the folder for the file (default: the current one), rounds, requests a round.
 */
public final class RingVersusLoop {
  private static final int DEPTH = 64;
  private static final Pattern SECONDS = Pattern.compile("completed in ([0-9.]+) seconds");
  private static final int WARM_UP_ROUNDS = 3;
  private static final int BLOCK_BYTES = 4096;
  private static final long FILE_BYTES = 64L << 20;
  private static final long BLOCKS = FILE_BYTES / BLOCK_BYTES;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final int requests;
  private final int fd;
  private final MemorySegment[] buffers = new MemorySegment[DEPTH];
  private long random = 88172645463325252L;

  private RingVersusLoop(Path file, int requests, Arena arena) {
    this.requests = requests;
    this.fd = LinuxFiles.open(file.toString(), OpenFlags.READ_ONLY, 0);
    MemorySegment memory = arena.allocate((long) DEPTH * BLOCK_BYTES, 4096);
    for (int i = 0; i < DEPTH; i++) {
      buffers[i] = memory.asSlice((long) i * BLOCK_BYTES, BLOCK_BYTES);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments.length > 0 ? arguments[0] : ".");
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 15;
    int requests = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 500_000;
    Path file = Files.createTempFile(folder, "ring-versus-loop", ".img");
    try (Arena arena = Arena.ofShared()) {
      byte[] content = new byte[(int) FILE_BYTES];
      Arrays.fill(content, (byte) 1);
      Files.write(file, content);
      new RingVersusLoop(file, requests, arena).run(file, rounds);
    } finally {
      Files.delete(file);
    }
  }

  /** What one kind of rounds took, one entry a round. */
  private final class Meter {
    final double[] requestsPerSecond;
    final double[] cpuNanosPerRequest;
    final double[] bytesPerRequest;
    private long startNanos;
    private long startCpuNanos;
    private long startBytes;

    Meter(int rounds) {
      requestsPerSecond = new double[rounds];
      cpuNanosPerRequest = new double[rounds];
      bytesPerRequest = new double[rounds];
    }

    void start() {
      startBytes = threads.getCurrentThreadAllocatedBytes();
      startCpuNanos = threads.getCurrentThreadCpuTime();
      startNanos = System.nanoTime();
    }

    void stop(int round) {
      long nanos = System.nanoTime() - startNanos;
      long cpuNanos = threads.getCurrentThreadCpuTime() - startCpuNanos;
      long bytes = threads.getCurrentThreadAllocatedBytes() - startBytes;
      if (round >= 0) {
        requestsPerSecond[round] = requests * 1e9 / nanos;
        cpuNanosPerRequest[round] = (double) cpuNanos / requests;
        bytesPerRequest[round] = (double) bytes / requests;
      }
    }

    void print(String name) {
      System.out.printf(
          "%-10s %,12.0f requests/s %8.1f ns of processor time, %.1f bytes allocated per request%n",
          name, median(requestsPerSecond), median(cpuNanosPerRequest), median(bytesPerRequest));
    }
  }

  private void run(Path file, int rounds) throws Exception {
    boolean hasReference = reference(file, 1) > 0;
    double[] reference = new double[rounds];
    try (LoopHost host = new LoopHost(PollerKind.IO_URING);
        IoUring ring = IoUring.open(256, 1024);
        AioContext loop = host.newContext("bench", BusyPolling.OFF)) {
      Meter bare = new Meter(rounds);
      Meter coroutines = new Meter(rounds);
      Meter backend = new Meter(rounds);
      BackendReader reader = BackendReader.open(loop, file, buffers);
      for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
        bare.start();
        bareRing(ring);
        bare.stop(round);
        coroutines.start();
        coroutines(loop);
        coroutines.stop(round);
        backend.start();
        reader.round(requests, this::nextOffset);
        backend.stop(round);
        if (hasReference && round >= 0) {
          reference[round] = reference(file, requests);
        }
      }
      reader.close();
      bare.print("bare ring");
      coroutines.print("coroutines");
      backend.print("backend");
      printRatio("time", coroutines.requestsPerSecond, bare.requestsPerSecond);
      printRatio("processor time", bare.cpuNanosPerRequest, coroutines.cpuNanosPerRequest);
      printRatio("time, backend", backend.requestsPerSecond, bare.requestsPerSecond);
      printRatio("processor time, backend", bare.cpuNanosPerRequest, backend.cpuNanosPerRequest);
      System.out.printf(
          "ratio of the best rounds: by time %.3f, by processor time %.3f%n",
          max(coroutines.requestsPerSecond) / max(bare.requestsPerSecond),
          min(bare.cpuNanosPerRequest) / min(coroutines.cpuNanosPerRequest));
      if (hasReference) {
        System.out.printf(
            "qemu-img bench (io_uring, one block after the other): %,.0f requests/s%n",
            median(reference));
        printRatio("time to qemu-img bench", coroutines.requestsPerSecond, reference);
        printRatio("time to qemu-img bench, backend", backend.requestsPerSecond, reference);
      } else {
        System.out.println("qemu-img is not installed: nothing to compare with");
      }
    } finally {
      LinuxFiles.close(fd);
    }
  }

  /** Requests a second as qemu-img tells them; 0 where it cannot be run. */
  private static double reference(Path file, int requests) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(
                  List.of(
                      "qemu-img",
                      "bench",
                      "-f",
                      "raw",
                      "-i",
                      "io_uring",
                      "-t",
                      "writeback",
                      "-d",
                      Integer.toString(DEPTH),
                      "-s",
                      Integer.toString(BLOCK_BYTES),
                      "-c",
                      Integer.toString(requests),
                      file.toString()))
              .redirectErrorStream(true)
              .start();
      String told = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      Matcher seconds = SECONDS.matcher(told);
      return process.waitFor() == 0 && seconds.find()
          ? requests / Math.max(1e-3, Double.parseDouble(seconds.group(1)))
          : 0;
    } catch (IOException e) {
      return 0;
    }
  }

  private static void printRatio(String name, double[] dividends, double[] divisors) {
    double[] ratios = new double[dividends.length];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = dividends[i] / divisors[i];
    }
    System.out.printf(
        "ratio by %s %.3f (median of %d pairs; %.3f to %.3f)%n",
        name, median(ratios), ratios.length, min(ratios), max(ratios));
  }

  private static double min(double[] values) {
    return Arrays.stream(values).min().orElseThrow();
  }

  private static double max(double[] values) {
    return Arrays.stream(values).max().orElseThrow();
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private long nextOffset() {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    return (random & (BLOCKS - 1)) * BLOCK_BYTES;
  }

  private void bareRing(IoUring ring) {
    int left = requests;
    int outstanding = 0;
    for (int i = 0; i < DEPTH; i++) {
      ring.prepareRead(fd, buffers[i], nextOffset(), i);
      outstanding++;
      left--;
    }
    while (outstanding > 0) {
      int entered = ring.submitAndWait(1, IoUring.FOREVER);
      Check.state(entered >= 0, "enter: %s", entered);
      int completions = ring.completions();
      for (int i = 0; i < completions; i++) {
        int slot = (int) ring.userData(i);
        Check.state(ring.result(i) == BLOCK_BYTES, "short read");
        outstanding--;
        if (left > 0) {
          ring.prepareRead(fd, buffers[slot], nextOffset(), slot);
          outstanding++;
          left--;
        }
      }
      ring.consume(completions);
    }
  }

  private void coroutines(AioContext loop) throws Exception {
    IoEngine io = loop.io();
    int[] left = {requests};
    loop.runUntilDone(
        "round",
        () -> {
          List<AioContext.Forked<Boolean>> readers = new ArrayList<>();
          for (MemorySegment buffer : buffers) {
            readers.add(
                loop.fork(
                    "reader",
                    () -> {
                      while (left[0] > 0) {
                        left[0]--;
                        Check.state(io.read(fd, buffer, nextOffset()) == BLOCK_BYTES, "short read");
                      }
                      return true;
                    }));
          }
          for (AioContext.Forked<Boolean> reader : readers) {
            reader.join();
          }
          return true;
        });
  }
}
