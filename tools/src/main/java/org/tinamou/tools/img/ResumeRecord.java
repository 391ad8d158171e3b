package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.cli.ToolException;

/**
 * What {@code convert --resume} keeps beside its target, in {@code TARGET.resume}: what is copied,
 * how, and how far everything has reached the disk. It goes when the target is complete.
 */
final class ResumeRecord {
  private static final String DONE = "done";

  private final Path path;
  private final Json.Members job;
  private long doneBytes;

  private ResumeRecord(Path path, Json.Members job) {
    this.path = path;
    this.job = job;
  }

  /**
   * The record of a conversion, whether one was begun before or not.
   *
   * @param how the words of the command line that matter for what is written
   * @throws ToolException if another conversion was begun, or a source is not what it was
   */
  static ResumeRecord of(List<String> sources, String target, List<String> how)
      throws ToolException {
    Json.Members job = new Json.Members();
    Json.Array images = new Json.Array();
    for (String source : sources) {
      images.add(new Json.Text(source + " " + identity(source)));
    }
    Json.Array words = new Json.Array();
    how.forEach(word -> words.add(new Json.Text(word)));
    job.put("sources", images).put("how", words);
    Path path;
    try {
      path = Path.of(target + ".resume");
    } catch (InvalidPathException e) {
      throw new ToolException("--resume needs a target that is a file");
    }
    ResumeRecord record = new ResumeRecord(path, job);
    Json.Members before = record.read();
    if (before == null) {
      return record;
    }
    for (String part : List.of("sources", "how")) {
      Json was = before.members().get(part);
      Json is = job.members().get(part);
      if (was == null || is == null || !text(was).equals(text(is))) {
        throw new ToolException(
                "'" + path + "' is about another conversion, or a source has changed since")
            .followedBy("Remove it to begin anew.");
      }
    }
    if (before.members().get(DONE) instanceof Json.Whole(long done) && done >= 0) {
      record.doneBytes = done;
    }
    return record;
  }

  private static String text(Json value) {
    return JsonWriter.compact(value);
  }

  /** What changes whenever a file is another one or is written to. */
  private static String identity(String source) {
    try {
      Map<String, Object> now =
          Files.readAttributes(Path.of(source), "unix:ino,size,lastModifiedTime");
      return now.get("ino") + " " + now.get("size") + " " + now.get("lastModifiedTime");
    } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
      return "unknown";
    }
  }

  private Json.@Nullable Members read() throws ToolException {
    String text;
    try {
      text = Files.readString(path);
    } catch (NoSuchFileException e) {
      return null;
    } catch (IOException e) {
      throw new ToolException("Could not read '" + path + "': " + e.getMessage());
    }
    if (JsonParser.parse(text) instanceof Parsed.Value<Json>(Json.Members members)) {
      return members;
    }
    throw new ToolException("'" + path + "' is no record of a conversion")
        .followedBy("Remove it to begin anew.");
  }

  /** How much has been copied before; 0 if the target is to be made. */
  long doneBytes() {
    return doneBytes;
  }

  /** So much is on the disk. */
  void reached(long bytes) throws ToolException {
    Json.Members now = new Json.Members();
    job.members().forEach(now::put);
    now.put(DONE, bytes);
    Path next = path.resolveSibling(path.getFileName() + ".new");
    try {
      Files.writeString(next, JsonWriter.compact(now) + "\n");
      Files.move(next, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new ToolException("Could not write '" + path + "': " + e.getMessage());
    }
    doneBytes = bytes;
  }

  /** All is copied. */
  void end() throws ToolException {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new ToolException("Could not remove '" + path + "': " + e.getMessage());
    }
  }
}
