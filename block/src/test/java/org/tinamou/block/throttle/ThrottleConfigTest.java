package org.tinamou.block.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionTree;

/** What {@code --object throttle-group,limits.…} of qemu-storage-daemon 7.2 accepts and says. */
final class ThrottleConfigTest {
  private static ThrottleConfig read(ThrottleConfig before, String limits) throws Exception {
    OptionReader options =
        OptionReader.of(OptionTree.parse(limits, null).options(), OptionReader.Style.KEY_VALUE);
    ThrottleConfig config = before.read(options);
    options.finish();
    return config;
  }

  private static String verdict(String limits) {
    try {
      read(ThrottleConfig.UNLIMITED, limits);
      return "OK";
    } catch (Exception e) {
      return e.getMessage();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      textBlock =
          """
          iops-total=-1~bps/iops/max values must be within [0, 1000000000000000]
          iops-total=x~Parameter 'iops-total' expects integer
          iops-total=1k~Parameter 'iops-total' expects integer
          bogus=1~Parameter 'bogus' is unexpected
          iops-total=10,iops-read=5~bps/iops/max total values and read/write values cannot be used \
          at the same time
          bps-total=10,bps-write=5~bps/iops/max total values and read/write values cannot be used \
          at the same time
          bps-total-max=10,bps-read-max=10~bps/iops/max total values and read/write values cannot \
          be used at the same time
          bps-total=10,bps-total-max=5~bps_max/iops_max cannot be lower than bps/iops
          bps-total=10,bps-total-max=10~OK
          bps-total-max=5~bps_max/iops_max require corresponding bps/iops values
          bps-total-max-length=5~burst length set without burst rate
          bps-total=10,bps-total-max-length=5~burst length set without burst rate
          bps-total=10,bps-total-max-length=1~OK
          bps-total-max-length=1~OK
          bps-total=10,bps-total-max=20,bps-total-max-length=0~the burst length cannot be 0
          bps-total-max=5,bps-total-max-length=0~the burst length cannot be 0
          bps-total=10,bps-total-max=20,bps-total-max-length=-1~burst length too high for this \
          burst rate
          bps-total=1000000000000000~OK
          bps-total=1000000000000001~bps/iops/max values must be within [0, 1000000000000000]
          bps-total=1,bps-total-max=1000000000000001~bps/iops/max values must be within [0, \
          1000000000000000]
          bps-total=10,bps-total-max=20,bps-total-max-length=4294967295~OK
          bps-total=10,bps-total-max=20,bps-total-max-length=4294967296~bps-total-max-length value \
          must be in the range [0, 4294967295]
          bps-total=10,bps-total-max=1000000000,bps-total-max-length=1000000~OK
          bps-total=10,bps-total-max=1000000000,bps-total-max-length=1000001~burst length too high \
          for this burst rate
          bps-total=2000000000,bps-total-max=1000000000,bps-total-max-length=4000000000~burst \
          length too high for this burst rate
          iops-size=-1~iops size requires an iops value to be set
          iops-size=5,bps-total=-1~iops size requires an iops value to be set
          bps-total=10,bps-read=5,iops-size=5~bps/iops/max total values and read/write values \
          cannot be used at the same time
          iops-total=10,iops-size=-5~OK
          iops-total=10,iops-size=9223372036854775807~OK
          bps-total=-5,bps-total-max-length=0~bps/iops/max values must be within [0, \
          1000000000000000]
          bps-read=-100,bps-write=100,bps-write-max-length=0~bps/iops/max values must be within \
          [0, 1000000000000000]
          iops-total=-100,bps-write=100,bps-write-max=1~bps_max/iops_max cannot be lower than \
          bps/iops
          bps-read-max=20,bps-read=10,bps-total=0~OK
          """)
  void verdicts(String limits, String expected) {
    assertEquals(expected, verdict(limits));
  }

  @Test
  void whatIsNotGivenStays() throws Exception {
    ThrottleConfig config =
        read(
            ThrottleConfig.UNLIMITED,
            "bps-total=10,bps-total-max=20,bps-total-max-length=3,iops-read=7");
    assertEquals(ThrottleLimit.of(10, 20, 3), config.bytesTotal());
    assertEquals(ThrottleLimit.of(7), config.requestsRead());
    assertThrows(BlockException.class, () -> read(config, "iops-total=5"));
    ThrottleConfig changed = read(config, "iops-read=0,iops-write=0,iops-total=9");
    assertEquals(ThrottleLimit.of(10, 20, 3), changed.bytesTotal());
    assertEquals(ThrottleLimit.of(9), changed.requestsTotal());
    assertFalse(changed.isUnlimited());
    assertTrue(ThrottleConfig.UNLIMITED.isUnlimited());
  }

  @Test
  void illTypedLimitsAreNamed() {
    assertThrows(OptionException.class, () -> read(ThrottleConfig.UNLIMITED, "iops-size=5.5"));
  }
}
