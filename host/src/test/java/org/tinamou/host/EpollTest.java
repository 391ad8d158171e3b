package org.tinamou.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tinamou.base.Errno;

class EpollTest {
  private Epoll epoll;
  private Descriptors.Pair sockets;

  @BeforeEach
  void open() throws Exception {
    epoll = Epoll.open(8);
    sockets = Descriptors.socketPair(OpenFlags.NON_BLOCKING);
  }

  @AfterEach
  void close() {
    epoll.close();
    LinuxFiles.close(sockets.first());
    LinuxFiles.close(sockets.second());
  }

  @Test
  void reportsEachDescriptorWithItsData() throws Exception {
    try (EventFd event = EventFd.open(true)) {
      long bigData = 0x1122334455667788L;
      assertEquals(0, epoll.add(event.fd(), Epoll.IN, bigData));
      assertEquals(0, epoll.add(sockets.first(), Epoll.IN | Epoll.OUT, 2));
      event.signal();
      assertEquals(2, epoll.await(Epoll.FOREVER));
      Set<Long> data = new TreeSet<>();
      for (int i = 0; i < 2; i++) {
        data.add(epoll.data(i));
        assertEquals(epoll.data(i) == 2 ? Epoll.OUT : Epoll.IN, epoll.events(i));
      }
      assertEquals(Set.of(2L, bigData), data);
    }
  }

  @Test
  void timesOut() {
    assertEquals(0, epoll.add(sockets.first(), Epoll.IN, 1));
    assertEquals(0, epoll.await(0));
    assertEquals(0, epoll.await(100));
    assertEquals(0, epoll.await(3_000_000));
  }

  @Test
  void followsChangesAndSeesTheOtherSideClose() {
    assertEquals(0, epoll.add(sockets.first(), Epoll.IN, 1));
    assertEquals(-Errno.EEXIST.number(), epoll.add(sockets.first(), Epoll.IN, 1));
    assertEquals(0, epoll.modify(sockets.first(), Epoll.OUT, 5));
    assertEquals(1, epoll.await(Epoll.FOREVER));
    assertEquals(5, epoll.data(0));
    assertEquals(0, epoll.remove(sockets.first()));
    assertEquals(-Errno.ENOENT.number(), epoll.remove(sockets.first()));
    assertEquals(0, epoll.add(sockets.first(), Epoll.IN | Epoll.PEER_HANG_UP, 6));
    LinuxFiles.close(sockets.second());
    assertEquals(1, epoll.await(Epoll.FOREVER));
    assertTrue((epoll.events(0) & (Epoll.HANG_UP | Epoll.PEER_HANG_UP)) != 0);
  }

  @Test
  void filesThatNeverBlockAreRefused() {
    int fd = LinuxFiles.open("/dev/zero", OpenFlags.READ_ONLY, 0);
    int result = epoll.add(fd, Epoll.IN, 1);
    LinuxFiles.close(fd);
    assertEquals(-Errno.EPERM.number(), result);
  }

  @Test
  void anEventFdCounts() throws Exception {
    try (EventFd event = EventFd.open(true)) {
      assertEquals(-Errno.EAGAIN.number(), event.drain());
      event.signal();
      event.signal();
      assertEquals(2, event.drain());
      assertEquals(-Errno.EAGAIN.number(), event.drain());
    }
  }

  @Test
  void pipesAndSocketsCarryBytes() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(3).fill((byte) 4);
      MemorySegment back = arena.allocate(10);
      assertEquals(3, LinuxFiles.write(sockets.first(), buffer));
      assertEquals(3, LinuxFiles.read(sockets.second(), back));
      assertEquals(-Errno.EAGAIN.number(), LinuxFiles.read(sockets.second(), back));
      Descriptors.Pair pipe = Descriptors.pipe(0);
      assertEquals(3, LinuxFiles.write(pipe.second(), buffer));
      LinuxFiles.close(pipe.second());
      assertEquals(3, LinuxFiles.read(pipe.first(), back));
      assertEquals(0, LinuxFiles.read(pipe.first(), back));
      LinuxFiles.close(pipe.first());
    }
  }
}
