package org.tinamou.drivers.filter.blkdebug;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;

class BlkdebugTest {
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void makeFile() throws IOException {
    file = Files.write(directory.resolve("image"), new byte[1 << 20]);
  }

  private TestDisk open(AioContext context, String more) throws BlockException {
    return TestDisk.open(
        context,
        "driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename="
            + file
            + more.replace(",", ",file."));
  }

  private static void assertFails(Errno errno, Executable request) {
    assertEquals(errno, assertThrows(BlockException.class, request).errno());
  }

  @Test
  void anErrorStaysEffectiveUntilAnEventMakesOthersSo() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk =
              open(
                  context,
                  ",inject-error.0.event=read_aio,inject-error.0.errno=28"
                      + ",inject-error.1.event=flush_to_os,inject-error.1.iotype=discard");
          disk.fill(0, 512, 1);
          assertFails(Errno.ENOSPC, () -> disk.read(0, 512));
          assertFails(Errno.ENOSPC, () -> disk.fill(0, 512, 1));
          assertFails(Errno.ENOSPC, () -> disk.backend().writeZeroes(0, 4096, 0));
          assertFails(Errno.ENOSPC, () -> disk.backend().discard(0, 4096));
          disk.backend().status(0, 4096, true);
          disk.backend().flush();
          disk.fill(0, 512, 1);
          assertFails(Errno.EIO, () -> disk.backend().discard(0, 4096));
          disk.close();
        });
  }

  @Test
  void onlyOnceOrOnlyWhereASectorIsTouched() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk once = open(context, ",inject-error.0.event=read_aio,inject-error.0.once=on");
          assertFails(Errno.EIO, () -> once.read(0, 512));
          once.read(0, 512);
          once.fill(0, 512, 1);
          once.close();
          TestDisk sector = open(context, ",inject-error.0.event=none,inject-error.0.sector=2");
          sector.read(0, 1024);
          assertFails(Errno.EIO, () -> sector.read(0, 1025));
          assertFails(Errno.EIO, () -> sector.fill(1024, 512, 1));
          sector.fill(1025, 511, 1);
          sector.backend().flush();
          sector.close();
        });
  }

  @ParameterizedTest
  @CsvSource({
    "read,true,false,false,false,false,false",
    "write,false,true,false,false,false,false",
    "write-zeroes,false,false,true,false,false,false",
    "discard,false,false,false,true,false,false",
    "flush,false,false,false,false,true,false",
    "block-status,false,false,false,false,false,true"
  })
  void aKindOfRequestIsSingledOut(
      String type,
      boolean reads,
      boolean writes,
      boolean zeroes,
      boolean discards,
      boolean flushes,
      boolean statuses)
      throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, ",inject-error.0.event=none,inject-error.0.iotype=" + type);
          assertOutcome(reads, () -> disk.read(0, 512));
          assertOutcome(writes, () -> disk.fill(0, 512, 1));
          assertOutcome(zeroes, () -> disk.backend().writeZeroes(0, 4096, 0));
          assertOutcome(discards, () -> disk.backend().discard(0, 4096));
          assertOutcome(flushes, () -> disk.backend().flush());
          assertOutcome(statuses, () -> disk.backend().status(0, 4096, true));
          disk.close();
        });
  }

  private static void assertOutcome(boolean fails, Executable request) throws Exception {
    if (fails) {
      assertFails(Errno.EIO, request);
    } else {
      try {
        request.execute();
      } catch (Throwable e) {
        throw new AssertionError("failed", e);
      }
    }
  }

  @Test
  void eventsChangeTheState() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk =
              open(
                  context,
                  ",set-state.0.event=write_aio,set-state.0.state=1,set-state.0.new_state=2"
                      + ",inject-error.0.event=write_aio,inject-error.0.state=2");
          disk.fill(0, 512, 1);
          assertFails(Errno.EIO, () -> disk.fill(0, 512, 1));
          disk.close();
        });
  }

  @Test
  void aFlushAtTheEndOfAWriteAnnouncesOnlyThatStateIsWrittenOut() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk os = open(context, ",inject-error.0.event=flush_to_os");
          assertFails(
              Errno.EIO, () -> os.backend().writeZeroes(0, 4096, RequestFlags.FORCE_UNIT_ACCESS));
          os.close();
          TestDisk toDisk = open(context, ",inject-error.0.event=flush_to_disk");
          toDisk.backend().flush(); // nothing to do
          toDisk.backend().writeZeroes(0, 4096, RequestFlags.FORCE_UNIT_ACCESS);
          toDisk.fill(0, 512, 1);
          assertFails(Errno.EIO, () -> toDisk.backend().flush());
          toDisk.close();
          TestDisk again = open(context, ",inject-error.0.event=flush_to_disk");
          again.backend().writeZeroes(0, 4096, RequestFlags.FORCE_UNIT_ACCESS);
          assertFails(
              Errno.EIO,
              () -> again.backend().writeZeroes(0, 4096, RequestFlags.FORCE_UNIT_ACCESS));
          again.close();
        });
  }

  @Test
  void rulesComeFromAFile() throws Exception {
    Path rules = directory.resolve("rules");
    Files.writeString(
        rules,
        """
        # fails the second write
        [set-state]
          event = "write_aio"
          state = "1"
          new_state = "2"

        [inject-error "second"]
          event = "write_aio"
          state = "2"
          errno = "28"
        """);
    OnLoop.run(
        context -> {
          TestDisk disk = TestDisk.openName(context, "blkdebug:" + rules + ":" + file);
          disk.fill(0, 512, 1);
          assertFails(Errno.ENOSPC, () -> disk.fill(0, 512, 1));
          assertEquals(
              "blkdebug:" + rules + ":" + file, org.tinamou.block.open.FileNames.of(disk.node()));
          disk.close();
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[inject-error]~|Missing event name for rule",
        "[inject-error]~event = \"foo\"~|invalid parameter value: foo",
        "[inject-error]~event = foo~|invalid parameter value: ``",
        "[foo]~event = \"read_aio\"~|There is no option group 'foo'",
        "event = \"read_aio\"~|no group defined",
        "[inject-error]~bar = \"read_aio\"~|Invalid parameter 'bar'",
        "[inject-error]~event=\"read_aio\"~|Invalid parameter 'event=\"read_aio\"'",
        "[inject-error]~event = \"read_aio\"~errno = \"x\"~|Parameter 'errno' expects a number",
        "[inject-error]~event = \"read_aio\"~once = \"x\"~|Parameter 'once' expects 'on' or 'off'",
        "[inject-error~|There is no option group 'inject-error`~`'",
        "garbage~|no group defined"
      })
  void aFileThatIsWrongSaysWhy(String text, String message) throws Exception {
    Path rules = Files.writeString(directory.resolve("rules"), text.replace('~', '\n'));
    String expected = message.replace("`", "").replace('~', '\n');
    OnLoop.run(
        context ->
            assertEquals(
                expected.strip(),
                String.valueOf(
                        assertThrows(
                                BlockException.class,
                                () -> TestDisk.openName(context, "blkdebug:" + rules + ":" + file))
                            .getMessage())
                    .strip()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "align=3|Cannot meet constraints with align 3",
        "align=2G|Cannot meet constraints with align 2147483648",
        "align=4k,file.max-transfer=6000|Cannot meet constraints with max-transfer 6000",
        "align=512,file.opt-write-zero=1000|Cannot meet constraints with opt-write-zero 1000",
        "align=512,file.opt-write-zero=1k,file.max-write-zero=512|Cannot meet constraints with"
            + " max-write-zero 512",
        "align=512,file.max-discard=1000|Cannot meet constraints with max-discard 1000",
        "take-child-perms.0=foo|Parameter 'null' does not accept value 'foo'",
        "inject-error.0.errno=5|Missing event name for rule",
        "inject-error.0.event=none,file.inject-error.0.x=1|[inject-error] section doesn't support"
            + " the option 'x'",
        "inject-error.0.event=x|invalid parameter value: x",
        "foo=1|Block protocol 'blkdebug' doesn't support the option 'foo'"
      })
  void optionsThatAreWrongSayWhy(String options, String message) throws Exception {
    OnLoop.run(
        context ->
            assertEquals(
                message,
                assertThrows(
                        BlockException.class,
                        () ->
                            TestDisk.open(
                                context,
                                "driver=raw,file.driver=blkdebug,file.image.driver=file,"
                                    + "file.image.filename="
                                    + file
                                    + ",file."
                                    + options))
                    .getMessage()));
  }

  @Test
  void requestsKeepToLimitsThatAreNoPowersOfTwo() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk =
              open(
                  context,
                  ",align=512,max-transfer=1536,opt-write-zero=7680,max-write-zero=15360"
                      + ",opt-discard=7680,max-discard=15360");
          disk.backend().discard(0, 20_000);
          disk.fill(3, 60_000, 5);
          disk.backend().writeZeroes(1000, 50_000, 0);
          assertEquals(5, disk.read(999, 1)[0]);
          assertEquals(0, disk.read(1000, 1)[0]);
          assertEquals(0, disk.read(50_999, 1)[0]);
          assertEquals(5, disk.read(51_000, 1)[0]);
          disk.close();
        });
  }

  @Test
  void aNodeThatEndsInsideOfABlockIsWrittenOnlyByWhoeverMayMakeItLonger() throws Exception {
    OnLoop.run(
        context -> {
          String options = "driver=blkdebug,align=2M,image.driver=file,image.filename=" + file;
          BlockException refused =
              assertThrows(
                  BlockException.class,
                  () ->
                      TestDisk.open(
                          context,
                          options,
                          NodeOptions.READ_WRITE,
                          Permission.CONSISTENT_READ | Permission.WRITE,
                          Permission.ALL));
          assertEquals(
              "Cannot get 'write' permission without 'resize': Image size is not a multiple of"
                  + " request alignment",
              refused.getMessage());
          TestDisk disk =
              TestDisk.open(
                  context,
                  options,
                  NodeOptions.READ_ONLY,
                  Permission.CONSISTENT_READ,
                  Permission.ALL);
          assertEquals(0, disk.read(600_000, 1000)[999]);
          disk.close();
        });
  }

  @Test
  void aRequestWaitsAtABreakpointUntilItIsLetGo() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, ",align=512");
          BlockDriver.Breakpoints points = BlockDriver.Breakpoints.below(disk.node());
          List<String> log = new ArrayList<>();
          for (DebugEvent event :
              List.of(
                  DebugEvent.WRITE_AIO,
                  DebugEvent.PWRITEV,
                  DebugEvent.PWRITEV_RMW_HEAD,
                  DebugEvent.PWRITEV_RMW_AFTER_HEAD,
                  DebugEvent.PWRITEV_RMW_TAIL,
                  DebugEvent.PWRITEV_RMW_AFTER_TAIL,
                  DebugEvent.PWRITEV_DONE)) {
            points.addBreakpoint(event, "A", log::add);
            AioContext.Forked<Boolean> write =
                context.fork(
                    "write",
                    () -> {
                      disk.fill(100, 1000, event.ordinal());
                      return true;
                    });
            points.awaitSuspended("A");
            assertTrue(points.isSuspended("A"));
            assertFalse(write.coroutine().isEnded());
            assertTrue(points.resume("A"));
            write.join();
            assertFalse(points.resume("A"));
            assertEquals(event.ordinal(), disk.read(100, 1)[0]);
          }
          assertEquals("blkdebug: Suspended request 'A'", log.getFirst());
          assertEquals("blkdebug: Resuming request 'A'", log.getLast());
          points.addBreakpoint(DebugEvent.READ_AIO, "B", log::add);
          assertTrue(points.removeBreakpoint("B"));
          assertFalse(points.removeBreakpoint("B"));
          disk.read(0, 512);
          disk.close();
        });
  }

  @Test
  void severalBreakpointsOfOneEventAreOneStopEach() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, "");
          BlockDriver.Breakpoints points = BlockDriver.Breakpoints.below(disk.node());
          List<String> log = new ArrayList<>();
          points.addBreakpoint(DebugEvent.READ_AIO, "A", log::add);
          points.addBreakpoint(DebugEvent.READ_AIO, "B", log::add);
          AioContext.Forked<Integer> read = context.fork("read", () -> disk.read(0, 9).length);
          points.awaitSuspended("A");
          points.awaitSuspended("B");
          points.resume("A");
          points.resume("B");
          read.join();
          assertEquals(
              List.of(
                  "blkdebug: Suspended request 'B'",
                  "blkdebug: Suspended request 'A'",
                  "blkdebug: Resuming request 'A'",
                  "blkdebug: Resuming request 'B'"),
              log);
          disk.close();
        });
  }

  @Test
  void permissionsAreTakenAndNotShared() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, ",take-child-perms.0=resize,unshare-child-perms.0=write");
          BlockException refused =
              assertThrows(
                  BlockException.class,
                  () -> TestDisk.open(context, "driver=file,filename=" + file));
          assertEquals("Failed to get \"write\" lock", refused.getMessage());
          disk.close();
          TestDisk.open(context, "driver=file,filename=" + file).close();
        });
  }
}
