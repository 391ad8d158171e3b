package org.tinamou.daemon.object;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code iothread}: a thread with a loop. */
final class IoThreadType implements ObjectType {
  private final Daemon daemon;
  private final LoopStarter loops;

  IoThreadType(Daemon daemon, LoopStarter loops) {
    this.daemon = daemon;
    this.loops = loops;
  }

  @Override
  public String name() {
    return "iothread";
  }

  @Override
  public List<String> properties() {
    return List.of(
        "aio-max-batch=<int>",
        "poll-grow=<int>",
        "poll-max-ns=<int>",
        "poll-shrink=<int>",
        "thread-pool-max=<int>",
        "thread-pool-min=<int>");
  }

  @Override
  public UserObject create(String id, OptionReader options, ObjectRegistry others)
      throws OptionException {
    Map<String, Long> values = new LinkedHashMap<>();
    for (Map.Entry<String, Long> each : IoThreadObject.DEFAULTS.entrySet()) {
      long value = options.int64(each.getKey(), each.getValue());
      IoThreadObject.checkRange(each.getKey(), value);
      values.put(each.getKey(), value);
    }
    return new IoThreadObject(daemon, values, loops.start(id, IoThreadObject.polling(values)));
  }
}
