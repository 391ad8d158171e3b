package org.tinamou.block.throttle;

import java.util.ArrayList;
import java.util.List;

/** What has to be done once the group's lock is free. */
final class Actions {
  private record Arming(ThrottleMember member, Direction direction) {}

  private final List<Waiter> woken = new ArrayList<>(1);
  private final List<Arming> armings = new ArrayList<>(1);

  void wake(Waiter waiter) {
    woken.add(waiter);
  }

  void arm(ThrottleMember member, Direction direction) {
    armings.add(new Arming(member, direction));
  }

  void run() {
    woken.forEach(Waiter::grant);
    armings.forEach(arming -> arming.member.requestTimer(arming.direction));
  }
}
