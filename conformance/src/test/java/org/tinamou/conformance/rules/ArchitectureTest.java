package org.tinamou.conformance.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The architecture rules over every room; {@link RulesCanFailTest} shows that each can fail. */
class ArchitectureTest {
  private static final String ROOT = "org.tinamou";

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  @Test
  void everyRoomOfTheTableWasRead() throws IOException {
    Set<String> read = new TreeSet<>();
    CLASSES.forEach(each -> read.add(ArrowRules.room(ROOT, each.getPackageName())));
    assertEquals(new TreeSet<>(Rooms.ofThisProject().mayUse().keySet()), read);
  }

  @TestFactory
  List<DynamicTest> rules() throws IOException {
    List<ArchRule> rules = new ArrayList<>(BannedCalls.all(ROOT, Rooms.ofThisProject().shipped()));
    rules.add(ArrowRules.arrowsGoDown(ROOT, Rooms.ofThisProject()));
    rules.add(ArrowRules.onlyHostCallsNativeCode(ROOT));
    rules.add(ArrowRules.oneDoorIntoTheJdk(ROOT));
    rules.add(ThreadRules.categoriesHold(ROOT));
    return rules.stream()
        .map(rule -> DynamicTest.dynamicTest(rule.getDescription(), () -> rule.check(CLASSES)))
        .toList();
  }

  @Test
  void noSynchronizedBlocks() throws IOException {
    Set<String> shipped = Rooms.ofThisProject().shipped();
    List<String> entered = new ArrayList<>();
    for (JavaClass read : CLASSES) {
      if (shipped.contains(ArrowRules.room(ROOT, read.getPackageName()))) {
        try (InputStream classFile = read.getSource().orElseThrow().getUri().toURL().openStream()) {
          entered.addAll(Monitors.enteredIn(classFile.readAllBytes()));
        }
      }
    }
    assertEquals(List.of(), entered);
  }
}
