package org.tinamou.drivers.filter.throttle;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.throttle.ThrottleMember;
import org.tinamou.drivers.filter.FilterDriver;

/**
 * Has each request wait for its turn in a throttle group. Requests that wait are in flight: a
 * drained section lets them all go at once, so that it need not wait for the clock.
 */
public final class ThrottleDriver extends FilterDriver
    implements BlockDriver.Quiescable, BlockDriver.ContextBound {
  private final ThrottleMember member;

  ThrottleDriver(Edge file, ThrottleMember member) {
    super(file);
    this.member = member;
  }

  @Override
  public String formatName() {
    return "throttle";
  }

  @InCoroutine
  private void await(long sizeBytes, boolean isWrite) throws BlockException {
    if (!member.intercept(sizeBytes, isWrite)) {
      throw BlockException.of(Errno.ECANCELED, "throttle");
    }
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    await(buffer.sizeBytes(), false);
    super.read(offsetBytes, buffer, flags);
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    await(buffer.sizeBytes(), true);
    super.write(offsetBytes, buffer, flags);
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    await(lengthBytes, true);
    return super.writeZeroes(offsetBytes, lengthBytes, flags);
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    await(lengthBytes, true);
    return super.discard(offsetBytes, lengthBytes);
  }

  @Override
  public void quiesce() {
    member.disableLimits();
  }

  @Override
  public void unquiesce() {
    member.enableLimits();
  }

  @Override
  public void detachFromContext() {
    member.detachFromContext();
  }

  @Override
  public void attachToContext(AioContext context) {
    member.attachToContext(context);
  }

  @Override
  public void close() {
    member.leave();
  }
}
