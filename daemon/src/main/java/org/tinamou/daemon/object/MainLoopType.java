package org.tinamou.daemon.object;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinamou.daemon.Daemon;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code main-loop}: the settings of the loop that is there anyway; there is one at most. */
final class MainLoopType implements ObjectType {
  private final Daemon daemon;

  MainLoopType(Daemon daemon) {
    this.daemon = daemon;
  }

  @Override
  public String name() {
    return "main-loop";
  }

  @Override
  public List<String> properties() {
    return List.of(ObjectTypes.LOOP);
  }

  private static final class MainLoop implements UserObject {
    private final Map<String, Long> values = new LinkedHashMap<>();

    @Override
    public Json.Members properties() {
      Json.Members all = new Json.Members();
      values.forEach(all::put);
      return all;
    }

    @Override
    public void set(String property, Json value) throws OptionException {
      if (!(value instanceof Json.Whole(long number))) {
        throw new OptionException(
            "Invalid parameter type for '" + property + "', expected: integer");
      }
      IoThreadObject.checkRange(property, number);
      values.put(property, number);
    }
  }

  @Override
  public UserObject create(String id, OptionReader options, ObjectRegistry others)
      throws OptionException {
    for (ObjectRegistry.Entry each : daemon.objects().all()) {
      if (each.object() instanceof MainLoop) {
        throw new OptionException("only one main-loop instance allowed");
      }
    }
    MainLoop loop = new MainLoop();
    for (String property : ObjectTypes.LOOP) {
      String name = property.substring(0, property.indexOf('='));
      long value = options.int64(name, name.equals("thread-pool-max") ? 64 : 0);
      IoThreadObject.checkRange(name, value);
      loop.values.put(name, value);
    }
    return loop;
  }
}
