package org.tinamou.testkit.sim;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.SocketHost;

/**
 * The outside of one simulated loop: completions come when the simulated disk is done, in an order
 * the seed decides; wake-ups arrive late.
 */
final class SimPoller implements Poller {
  private record Completion(IoRequest request, long dueNanos, SimDisk.Operation operation) {}

  private final Simulation simulation;
  private final List<Completion> inFlight = new ArrayList<>();
  private final List<FdWatch> watches = new ArrayList<>();
  private long wakeDueNanos = FOREVER;
  private boolean closed;
  int wakes;
  int spuriousReports;

  SimPoller(Simulation simulation) {
    this.simulation = simulation;
  }

  @Override
  public void submit(IoRequest request) {
    simulation.require(!closed, "I8", "request submitted to a closed poller");
    SimDisk.Operation operation = simulation.disk().start(request);
    inFlight.add(
        new Completion(request, simulation.nowNanos() + operation.latencyNanos(), operation));
  }

  @Override
  public long readAtHand(int fd, MemorySegment buffer, long offsetBytes) {
    return simulation.disk().readAtHand(fd, buffer, offsetBytes);
  }

  @Override
  public void cancel(IoRequest request) {
    for (int i = 0; i < inFlight.size(); i++) {
      Completion each = inFlight.get(i);
      if (each.request == request && simulation.random().nextBoolean()) {
        inFlight.set(i, new Completion(request, simulation.nowNanos(), each.operation.cancelled()));
      }
    }
  }

  @Override
  public void update(FdWatch watch) {
    if (watch.interest() == 0) {
      watches.remove(watch);
    } else if (!watches.contains(watch)) {
      watches.add(watch);
    }
  }

  @Override
  public void poll(long timeoutNanos) {
    if (wakeDueNanos <= simulation.nowNanos()) {
      wakeDueNanos = FOREVER;
    }
    List<Completion> due = new ArrayList<>();
    boolean hangs = simulation.disk().hangsUntilNanos() > simulation.nowNanos();
    for (Completion each : inFlight) {
      if (!hangs && each.dueNanos <= simulation.nowNanos()) {
        due.add(each);
      }
    }
    simulation.shuffle(due);
    int harvest = due.isEmpty() ? 0 : 1 + simulation.random().nextInt(due.size());
    for (Completion each : due.subList(0, harvest)) {
      inFlight.remove(each);
      long result = each.operation.finish();
      simulation.noteCompletion(each.request, result);
      each.request.complete(result);
    }
    List<FdWatch> ready = new ArrayList<>(watches);
    simulation.shuffle(ready);
    for (FdWatch watch : ready) {
      int events = simulation.readiness(watch.fd()) & watch.interest();
      if (events != 0) {
        watch.markReady(events);
      } else if (simulation.strikes(simulation.faults().spuriousReadyPercent())) {
        simulation.note("spurious", "descriptor", watch.fd());
        spuriousReports++;
        watch.markReady(watch.interest());
      }
    }
  }

  /** When a poll that starts now would return: now or earlier, or a later time, or never. */
  long nextEventNanos() {
    long next = wakeDueNanos;
    for (Completion each : inFlight) {
      next = Math.min(next, Math.max(each.dueNanos, simulation.disk().hangsUntilNanos()));
    }
    for (FdWatch watch : watches) {
      if ((simulation.readiness(watch.fd()) & watch.interest()) != 0) {
        return 0;
      }
    }
    return next;
  }

  boolean isWakePending() {
    return wakeDueNanos != FOREVER;
  }

  @Override
  public void wake() {
    simulation.require(!closed, "I8", "wake-up of a closed poller");
    wakes++;
    wakeDueNanos = Math.min(wakeDueNanos, simulation.nowNanos() + simulation.wakeDelayNanos());
  }

  @Override
  public SocketHost sockets() {
    return simulation.network();
  }

  @Override
  public int inFlight() {
    return inFlight.size();
  }

  @Override
  public void close() {
    closed = true;
  }
}
