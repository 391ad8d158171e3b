package org.tinamou.conformance.rules;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The rooms and what each may use, as the table at the end of ARCHITECTURE.md says.
 *
 * @param mayUse room to the rooms named in its "may use" column
 * @param shipped the rooms whose row does not say "not shipped": what users run
 */
record Rooms(Map<String, Set<String>> mayUse, Set<String> shipped) {
  private static final Pattern NAME = Pattern.compile("`([a-z]+)`");

  /** Reads the rows {@code | `room` | what flows | `may`, `use` |} of a Markdown table. */
  static Rooms parse(List<String> markdownLines) {
    Map<String, Set<String>> mayUse = new LinkedHashMap<>();
    Set<String> shipped = new TreeSet<>();
    for (String line : markdownLines) {
      String[] cells = line.split("\\|", -1);
      if (cells.length != 5) {
        continue;
      }
      Matcher room = NAME.matcher(cells[1].strip());
      if (room.matches()) {
        mayUse.put(
            room.group(1),
            NAME.matcher(cells[3])
                .results()
                .map(use -> use.group(1))
                .collect(TreeSet::new, Set::add, Set::addAll));
        if (!cells[2].contains("not shipped")) {
          shipped.add(room.group(1));
        }
      }
    }
    return new Rooms(mayUse, shipped);
  }

  static Rooms ofThisProject() throws IOException {
    return parse(Files.readAllLines(Path.of("..", "ARCHITECTURE.md")));
  }

  /** The room itself and everything below it. */
  Set<String> reachableFrom(String room) {
    Set<String> reached = new TreeSet<>();
    Deque<String> open = new ArrayDeque<>(List.of(room));
    while (!open.isEmpty()) {
      String next = open.pop();
      if (reached.add(next)) {
        open.addAll(mayUse.getOrDefault(next, Set.of()));
      }
    }
    return reached;
  }
}
