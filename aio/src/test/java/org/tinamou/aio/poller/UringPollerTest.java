package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.Descriptors;
import org.tinamou.host.LinuxFiles;

@EnabledIf("isAllowed")
class UringPollerTest extends KernelPollerContract {
  private static final long ECANCELED = -Errno.ECANCELED.number();

  static boolean isAllowed() {
    try (WorkerPool none = new WorkerPool(1);
        Poller probe = Pollers.open(PollerKind.IO_URING, none)) {
      return probe.inFlight() == 0;
    } catch (ErrnoException refused) {
      return false;
    }
  }

  @Override
  Poller open(Workers workers) throws Exception {
    return Pollers.open(PollerKind.IO_URING, workers);
  }

  @Test
  void aRequestInTheKernelIsCancelled() throws Exception {
    Descriptors.Pair pipe = Descriptors.pipe(0);
    IoRequest request = driver.read(pipe.first(), filled(10, 0), 0);
    poller.poll(0);
    assertFalse(driver.isComplete(request));
    poller.cancel(request);
    poller.cancel(request);
    assertEquals(ECANCELED, driver.result(request));
    poller.cancel(request);
    LinuxFiles.close(pipe.first());
    LinuxFiles.close(pipe.second());
  }

  @Test
  void requestsThatNeverReachedTheKernelAreCancelled() throws Exception {
    Descriptors.Pair pipe = Descriptors.pipe(0);
    List<IoRequest> requests = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      requests.add(driver.read(pipe.first(), filled(1, 0), 0));
    }
    requests.forEach(poller::cancel);
    for (IoRequest request : requests) {
      assertEquals(ECANCELED, driver.result(request));
    }
    assertEquals(0, poller.inFlight());
    LinuxFiles.close(pipe.first());
    LinuxFiles.close(pipe.second());
  }

  @Test
  void aLateCancellationMissesTheNextRequest() throws Exception {
    int fd = file();
    IoRequest first = driver.write(fd, filled(10, 1), 0);
    assertEquals(10, driver.result(first));
    Descriptors.Pair pipe = Descriptors.pipe(0);
    IoRequest second = driver.read(pipe.first(), filled(10, 0), 0);
    poller.cancel(first);
    poller.poll(0);
    assertFalse(driver.isComplete(second));
    LinuxFiles.write(pipe.second(), filled(4, 1));
    assertEquals(4, driver.result(second));
    LinuxFiles.close(pipe.first());
    LinuxFiles.close(pipe.second());
  }
}
