package org.tinamou.testkit.mutant;

import java.io.File;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.tinamou.base.Check;

/** Where this JVM's own classes and sources are, whether it runs on a class path or in modules. */
public final class ClassPath {
  private ClassPath() {}

  /** Every place classes are loaded from, but the JDK, as a class path. */
  public static String ofThisJvm() {
    Set<String> places = new LinkedHashSet<>();
    for (String property : List.of("java.class.path", "jdk.module.path")) {
      for (String place : System.getProperty(property, "").split(File.pathSeparator)) {
        if (!place.isEmpty()) {
          places.addAll(jarsOrPlace(place));
        }
      }
    }
    ModuleLayer.boot()
        .configuration()
        .modules()
        .forEach(
            module ->
                module
                    .reference()
                    .location()
                    .filter(location -> "file".equals(location.getScheme()))
                    .map(URI::getPath)
                    .ifPresent(places::add));
    return String.join(File.pathSeparator, places);
  }

  private static List<String> jarsOrPlace(String place) {
    File[] jars = new File(place).listFiles((folder, name) -> name.endsWith(".jar"));
    if (jars == null || jars.length == 0) {
      return List.of(place);
    }
    List<String> paths = new ArrayList<>();
    for (File jar : jars) {
      paths.add(jar.getPath());
    }
    return paths;
  }

  /** The checkout this JVM runs in: a folder above the current one. */
  static Path projectRoot() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.isDirectory(folder.resolve("aio/src/main/java"))) {
      folder = folder.getParent();
    }
    Check.state(folder != null, "mutants need the project's sources: run in a checkout");
    return java.util.Objects.requireNonNull(folder);
  }
}
