package org.tinamou.drivers.protocol.nullblock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.base.ClockType;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;

class NullDriverTest {
  @Test
  void takesEverythingAndKeepsNothing() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = TestDisk.openName(context, "null-aio://");
          assertEquals(NullDriver.DEFAULT_LENGTH_BYTES, disk.backend().lengthBytes());
          disk.fill(5, 1000, 3);
          disk.backend().writeZeroes(0, 4096, 0);
          disk.backend().discard(0, 4096);
          disk.backend().flush();
          assertEquals(0x55, disk.read(0, 512)[0], "the buffer stays as it is");
          BlockStatus status = disk.node().child("file").status(0, 4096, true);
          assertFalse(status.has(BlockStatus.ALLOCATED) || status.has(BlockStatus.ZERO));
          assertEquals(
              "Image format driver does not support resize",
              assertThrows(
                      BlockException.class,
                      () -> disk.backend().truncate(1 << 20, true, PreallocationMode.OFF))
                  .getMessage());
          disk.close();
        });
  }

  @Test
  void showsZeroesIfAskedTo() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = TestDisk.open(context, "driver=null-co,size=1000,read-zeroes=on");
          assertEquals(1024, disk.backend().lengthBytes());
          assertEquals(0, disk.read(0, 512)[511]);
          BlockStatus status = disk.backend().status(0, 1024, true);
          assertTrue(status.has(BlockStatus.ALLOCATED) && status.has(BlockStatus.ZERO));
          disk.close();
        });
  }

  @Test
  void requestsTakeTheirTime() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = TestDisk.open(context, "driver=null-aio,size=1M,latency-ns=2000000");
          long before = context.clocks().nanos(ClockType.REALTIME);
          disk.read(0, 512);
          assertTrue(context.clocks().nanos(ClockType.REALTIME) - before >= 2_000_000);
          disk.close();
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "latency-ns=-5|latency-ns is invalid",
        "latency-ns=x|Parameter 'latency-ns' expects a number",
        "read-zeroes=x|Parameter 'read-zeroes' expects 'on' or 'off'",
        "size=x|Parameter 'size' expects a non-negative number below 2^64"
      })
  void optionsThatAreWrongSayWhy(String options, String message) throws Exception {
    OnLoop.run(
        context ->
            assertEquals(
                message,
                assertThrows(
                        BlockException.class,
                        () -> TestDisk.open(context, "driver=null-co," + options).close())
                    .getMessage()));
  }
}
