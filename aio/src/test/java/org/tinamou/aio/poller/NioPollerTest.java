package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoOp;
import org.tinamou.aio.Poller;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

class NioPollerTest extends PollerContract {
  NioPollerTest() {
    super(new NioFiles());
  }

  @Override
  Poller open(Workers workers) {
    return NioPoller.open(workers, (NioFiles) hostFiles);
  }

  @Test
  void flushesButCannotAllocate() throws Exception {
    int fd = file();
    assertEquals(4096, driver.result(driver.write(fd, filled(4096, 1), 0)));
    assertEquals(0, driver.result(driver.request(IoOp.FSYNC, fd, 0, 0, 0, null, null)));
    assertEquals(0, driver.result(driver.request(IoOp.FDATASYNC, fd, 0, 0, 0, null, null)));
    assertEquals(
        -Errno.EOPNOTSUPP.number(),
        driver.result(driver.request(IoOp.FALLOCATE, fd, 0, 4096, 0, null, null)));
  }

  @Test
  void aVectorHasAsManySegmentsAsItLikes() throws Exception {
    int fd = file();
    List<MemorySegment> parts = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      parts.add(filled(2, 5));
    }
    assertEquals(4000, driver.result(driver.write(fd, IoVector.of(parts), 0)));
    assertEquals(4000, hostFiles.status(fd).sizeBytes());
  }

  @Test
  void descriptorsAreNotWatched() throws Exception {
    int fd = file();
    assertThrows(
        IllegalStateException.class, () -> driver.watch(fd, FdWatch.READABLE, ready -> {}));
  }
}
