package org.tinamou.conformance.tidy;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The project's own files: what is built, fetched or kept by Git is left out. */
final class SourceTree {
  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final Set<String> NOT_OURS = Set.of("target", "dist", ".git", ".idea", ".vscode");

  private SourceTree() {}

  /** The files whose name ends with one of the suffixes, as paths below {@link #ROOT}. */
  static List<Path> filesEndingWith(String... suffixes) throws IOException {
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(
        ROOT,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            return NOT_OURS.contains(directory.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            for (String suffix : suffixes) {
              if (file.getFileName().toString().endsWith(suffix)) {
                found.add(ROOT.relativize(file));
                break;
              }
            }
            return FileVisitResult.CONTINUE;
          }
        });
    found.sort(null);
    return found;
  }

  static String read(Path relative) throws IOException {
    return Files.readString(ROOT.resolve(relative));
  }
}
