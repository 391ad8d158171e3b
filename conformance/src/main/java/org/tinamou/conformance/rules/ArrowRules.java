package org.tinamou.conformance.rules;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvent;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who may know whom. Every rule speaks of the packages below one root, so it can be shown to fail.
 */
final class ArrowRules {
  /** Calls that reach past access checks; the coroutine door is the one place that needs them. */
  private static final Set<String> DOOR_CALLS =
      Set.of(
          "java.lang.Class.forName",
          "java.lang.reflect.AccessibleObject.setAccessible",
          "java.lang.reflect.Constructor.setAccessible",
          "java.lang.reflect.Field.setAccessible",
          "java.lang.reflect.Method.setAccessible",
          "java.lang.invoke.MethodHandles.privateLookupIn");

  private ArrowRules() {}

  /** The room a package belongs to: the first name below the root, or "" if it is elsewhere. */
  static String room(String root, String packageName) {
    if (!packageName.startsWith(root + ".")) {
      return "";
    }
    String below = packageName.substring(root.length() + 1);
    int dot = below.indexOf('.');
    return dot < 0 ? below : below.substring(0, dot);
  }

  static DescribedPredicate<JavaClass> inRooms(String root, Set<String> rooms) {
    return DescribedPredicate.describe(
        "in rooms " + new TreeSet<>(rooms),
        javaClass -> rooms.contains(room(root, javaClass.getPackageName())));
  }

  /** Arrows between rooms only go down, as the rooms table says. */
  static ArchRule arrowsGoDown(String root, Rooms rooms) {
    return ArchRuleDefinition.classes()
        .that()
        .resideInAPackage(root + "..")
        .should(
            new ArchCondition<JavaClass>("use only the rooms below their own") {
              @Override
              public void check(JavaClass javaClass, ConditionEvents events) {
                String room = room(root, javaClass.getPackageName());
                if (!rooms.mayUse().containsKey(room)) {
                  events.add(violation(javaClass, "no room of ARCHITECTURE.md: " + javaClass));
                  return;
                }
                Set<String> below = rooms.reachableFrom(room);
                for (Dependency dependency : javaClass.getDirectDependenciesFromSelf()) {
                  String used = room(root, dependency.getTargetClass().getPackageName());
                  if (!used.isEmpty() && !below.contains(used)) {
                    events.add(violation(dependency, dependency.getDescription()));
                  }
                }
              }
            });
  }

  /** Only host speaks to native code. */
  static ArchRule onlyHostCallsNativeCode(String root) {
    return ArchRuleDefinition.noClasses()
        .that(DescribedPredicate.not(inRooms(root, Set.of("host"))))
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.SymbolLookup")
        .orShould()
        .callMethodWhere(
            calls(
                Set.of(
                    "java.lang.foreign.MemorySegment.reinterpret",
                    "java.lang.System.load",
                    "java.lang.System.loadLibrary")))
        .because("host is the only room with restricted calls");
  }

  /** One class of aio opens what the JDK keeps closed; nobody else does. */
  static ArchRule oneDoorIntoTheJdk(String root) {
    return ArchRuleDefinition.classes()
        .that()
        .resideInAPackage(root + "..")
        .should(
            new ArchCondition<JavaClass>("leave the JDK's closed doors to one class of aio") {
              private final Set<String> doors = new TreeSet<>();

              @Override
              public void check(JavaClass javaClass, ConditionEvents events) {
                String topLevel = javaClass.getName().replaceFirst("\\$.*", "");
                for (JavaAccess<?> access : javaClass.getAccessesFromSelf()) {
                  if (!DOOR_CALLS.contains(target(access))) {
                    continue;
                  }
                  doors.add(topLevel);
                  if (!room(root, javaClass.getPackageName()).equals("aio") || doors.size() > 1) {
                    events.add(violation(access, access.getDescription()));
                  }
                }
              }
            });
  }

  static String target(JavaAccess<?> access) {
    return access.getTargetOwner().getName() + "." + access.getTarget().getName();
  }

  static DescribedPredicate<JavaAccess<?>> calls(Set<String> targets) {
    return DescribedPredicate.describe(
        "target is one of " + new TreeSet<>(targets), access -> targets.contains(target(access)));
  }

  static ConditionEvent violation(Object where, String message) {
    return SimpleConditionEvent.violated(where, message);
  }
}
