package org.tinamou.block.throttle;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * The limits of a group. Immutable.
 *
 * @param bytesTotal on reads and writes together
 * @param bytesRead on reads
 * @param bytesWrite on writes, discards and zeroes
 * @param requestsTotal on reads and writes together
 * @param requestsRead on reads
 * @param requestsWrite on writes, discards and zeroes
 * @param requestBytes a larger request counts in proportion; 0 if each counts as one
 */
public record ThrottleConfig(
    ThrottleLimit bytesTotal,
    ThrottleLimit bytesRead,
    ThrottleLimit bytesWrite,
    ThrottleLimit requestsTotal,
    ThrottleLimit requestsRead,
    ThrottleLimit requestsWrite,
    long requestBytes) {

  /** The largest rate, and the largest burst in units. */
  public static final long MAX = 1_000_000_000_000_000L;

  private static final long MAX_SECONDS = 0xffff_ffffL;

  /** No limits. */
  public static final ThrottleConfig UNLIMITED =
      new ThrottleConfig(
          ThrottleLimit.NONE,
          ThrottleLimit.NONE,
          ThrottleLimit.NONE,
          ThrottleLimit.NONE,
          ThrottleLimit.NONE,
          ThrottleLimit.NONE,
          0);

  /** This with another limit on the bytes of reads and writes together. */
  public ThrottleConfig withBytesTotal(ThrottleLimit limit) {
    return new ThrottleConfig(
        limit, bytesRead, bytesWrite, requestsTotal, requestsRead, requestsWrite, requestBytes);
  }

  /** This with other limits on the bytes of reads and of writes. */
  public ThrottleConfig withBytes(ThrottleLimit read, ThrottleLimit write) {
    return new ThrottleConfig(
        bytesTotal, read, write, requestsTotal, requestsRead, requestsWrite, requestBytes);
  }

  /** This with another limit on the number of reads and writes together. */
  public ThrottleConfig withRequestsTotal(ThrottleLimit limit) {
    return new ThrottleConfig(
        bytesTotal, bytesRead, bytesWrite, limit, requestsRead, requestsWrite, requestBytes);
  }

  /** This with other limits on the number of reads and of writes. */
  public ThrottleConfig withRequests(ThrottleLimit read, ThrottleLimit write) {
    return new ThrottleConfig(
        bytesTotal, bytesRead, bytesWrite, requestsTotal, read, write, requestBytes);
  }

  /** This with another size from which on a request counts in proportion. */
  public ThrottleConfig withRequestBytes(long size) {
    return new ThrottleConfig(
        bytesTotal, bytesRead, bytesWrite, requestsTotal, requestsRead, requestsWrite, size);
  }

  /** Whether there is no limit at all. */
  public boolean isUnlimited() {
    return limits().values().stream().noneMatch(limit -> limit.average() != 0);
  }

  /** The limits by the names users know, e.g. "bps-total". */
  public Map<String, ThrottleLimit> limits() {
    Map<String, ThrottleLimit> all = new LinkedHashMap<>();
    all.put("bps-total", bytesTotal);
    all.put("bps-read", bytesRead);
    all.put("bps-write", bytesWrite);
    all.put("iops-total", requestsTotal);
    all.put("iops-read", requestsRead);
    all.put("iops-write", requestsWrite);
    return all;
  }

  /**
   * Refuses limits that make no sense.
   *
   * @throws BlockException with the message for the user
   */
  public void check() throws BlockException {
    if (conflict(bytesTotal, bytesRead, bytesWrite)
        || conflict(requestsTotal, requestsRead, requestsWrite)) {
      throw refused(
          "bps/iops/max total values and read/write values cannot be used at the same time");
    }
    boolean requests =
        requestsTotal.average() != 0 || requestsRead.average() != 0 || requestsWrite.average() != 0;
    if (requestBytes != 0 && !requests) {
      throw refused("iops size requires an iops value to be set");
    }
    for (ThrottleLimit limit : limits().values()) {
      check(limit);
    }
  }

  private static boolean conflict(ThrottleLimit total, ThrottleLimit read, ThrottleLimit write) {
    return total.isSet() && (read.isSet() || write.isSet());
  }

  private static void check(ThrottleLimit limit) throws BlockException {
    if (isOutside(limit.average()) || isOutside(limit.burst())) {
      throw refused("bps/iops/max values must be within [0, " + MAX + "]");
    }
    if (limit.burstSeconds() == 0) {
      throw refused("the burst length cannot be 0");
    }
    if (limit.burstSeconds() != 1 && limit.burst() == 0) {
      throw refused("burst length set without burst rate");
    }
    if (limit.burst() != 0 && Long.compareUnsigned(limit.burstSeconds(), MAX / limit.burst()) > 0) {
      throw refused("burst length too high for this burst rate");
    }
    if (limit.burst() != 0 && limit.average() == 0) {
      throw refused("bps_max/iops_max require corresponding bps/iops values");
    }
    if (limit.burst() != 0 && limit.burst() < limit.average()) {
      throw refused("bps_max/iops_max cannot be lower than bps/iops");
    }
  }

  private static boolean isOutside(long rate) {
    return rate < 0 || rate > MAX;
  }

  private static BlockException refused(String message) {
    return new BlockException(Errno.EINVAL, message);
  }

  /**
   * This with those limits replaced that are given: {@code bps-total}, {@code bps-total-max},
   * {@code bps-total-max-length} and so on, {@code iops-size}.
   *
   * @throws OptionException if one of them is ill-typed
   * @throws BlockException if together they make no sense
   */
  public ThrottleConfig read(OptionReader options) throws OptionException, BlockException {
    ThrottleConfig config =
        new ThrottleConfig(
            read(options, "bps-total", bytesTotal),
            read(options, "bps-read", bytesRead),
            read(options, "bps-write", bytesWrite),
            read(options, "iops-total", requestsTotal),
            read(options, "iops-read", requestsRead),
            read(options, "iops-write", requestsWrite),
            options.int64("iops-size", requestBytes));
    for (Map.Entry<String, ThrottleLimit> entry : config.limits().entrySet()) {
      if (entry.getValue().burstSeconds() > MAX_SECONDS) {
        throw refused(
            entry.getKey() + "-max-length value must be in the range [0, " + MAX_SECONDS + "]");
      }
    }
    config.check();
    return config;
  }

  private static ThrottleLimit read(OptionReader options, String name, ThrottleLimit before)
      throws OptionException {
    return new ThrottleLimit(
        options.int64(name, before.average()),
        options.int64(name + "-max", before.burst()),
        options.int64(name + "-max-length", before.burstSeconds()));
  }
}
