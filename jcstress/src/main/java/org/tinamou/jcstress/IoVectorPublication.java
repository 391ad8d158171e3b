package org.tinamou.jcstress;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;
import org.tinamou.base.IoVector;

/** A vector may be handed over through a plain field: it is seen whole or not at all. */
@JCStressTest
@Outcome(id = "-1", expect = Expect.ACCEPTABLE, desc = "not there yet")
@Outcome(id = "512", expect = Expect.ACCEPTABLE, desc = "there, and whole")
@Outcome(expect = Expect.FORBIDDEN, desc = "seen before it was finished")
@State
public class IoVectorPublication {
  private static final MemorySegment SECTOR = Arena.global().allocate(512);

  private @Nullable IoVector vector;

  @Actor
  public void publish() {
    vector = IoVector.of(SECTOR);
  }

  @Actor
  public void read(J_Result result) {
    IoVector seen = vector;
    result.r1 = seen == null ? -1 : seen.sizeBytes();
  }
}
