package org.tinamou.drivers.filter.blkdebug;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** A file of rules: sections in brackets, each with lines of {@code name = "value"}. */
final class RuleFile {
  private static final Pattern GROUP = Pattern.compile("\\[([^\\s\\]\"]+) \"[^\"]+\"\\].*");
  private static final Pattern PLAIN_GROUP = Pattern.compile("\\[([^\\]]+).*", Pattern.DOTALL);
  private static final Pattern OPTION =
      Pattern.compile("\\s*(\\S+)(?: *= *\"([^\"]*))?.*", Pattern.DOTALL);
  private static final long MAX_BYTES = 1 << 20;

  private final Rules rules;
  private @Nullable String section;
  private Json.Members options = new Json.Members();

  private RuleFile(Rules rules) {
    this.rules = rules;
  }

  /** Adds the rules of a file on the host. */
  @InCoroutine
  static void read(Path path, Rules rules) throws BlockException, OptionException {
    String text;
    try {
      text = load(path);
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not read blkdebug config file");
    }
    parse(text, rules);
  }

  private static String load(Path path) throws ErrnoException {
    AioContext here = Coroutine.current().context();
    HostFiles files = here.hostFiles();
    int fd = here.callBlocking(() -> files.open(path, 0));
    try (Arena arena = Arena.ofShared()) {
      long size = Math.min(MAX_BYTES, here.callBlocking(() -> files.status(fd).sizeBytes()));
      MemorySegment bytes = arena.allocate(Math.max(1, size));
      long done = 0;
      while (done < size) {
        long moved = here.io().read(fd, bytes.asSlice(done, size - done), done);
        if (moved < 0 && moved != -Errno.EINTR.number()) {
          throw new ErrnoException(Errno.ofResult(moved), "read of " + path);
        }
        if (moved == 0) {
          break;
        }
        done += Math.max(0, moved);
      }
      byte[] read = bytes.asSlice(0, done).toArray(ValueLayout.JAVA_BYTE);
      return new String(read, StandardCharsets.UTF_8);
    } finally {
      here.callBlocking(
          () -> {
            files.close(fd);
            return true;
          });
    }
  }

  /** Adds the rules of a text. */
  static void parse(String text, Rules rules) throws BlockException, OptionException {
    RuleFile file = new RuleFile(rules);
    int start = 0;
    while (start < text.length()) {
      int end = text.indexOf('\n', start) + 1;
      end = end == 0 ? text.length() : end;
      file.line(text.substring(start, end));
      start = end;
    }
    file.endSection();
  }

  /** One line, with its end: the reference counts that to an unfinished section's name. */
  private void line(String line) throws BlockException, OptionException {
    if (line.equals("\n") || line.startsWith("#")) {
      return;
    }
    String name = group(line);
    if (name != null) {
      endSection();
      if (!name.equals(Rules.INJECT_ERROR) && !name.equals(Rules.SET_STATE)) {
        throw new BlockException(Errno.EINVAL, "There is no option group '" + name + "'");
      }
      section = name;
      return;
    }
    Matcher option = OPTION.matcher(line);
    if (line.isBlank() || !option.matches()) {
      throw new BlockException(Errno.EINVAL, "parse error");
    }
    if (section == null) {
      throw new BlockException(Errno.EINVAL, "no group defined");
    }
    String value = option.group(2);
    options.put(option.group(1), new Json.Text(value == null ? "" : value));
  }

  private static @Nullable String group(String line) {
    Matcher withId = GROUP.matcher(line.stripTrailing());
    if (withId.matches()) {
      return withId.group(1);
    }
    Matcher plain = PLAIN_GROUP.matcher(line);
    return plain.matches() ? plain.group(1) : null;
  }

  private void endSection() throws BlockException, OptionException {
    if (section == null) {
      return;
    }
    for (String option : options.members().keySet()) {
      if (!Rules.optionsOf(section).contains(option)) {
        throw new OptionException("Invalid parameter '" + option + "'");
      }
    }
    rules.read(section, OptionReader.of(options, OptionReader.Style.LOOSE));
    options = new Json.Members();
  }
}
