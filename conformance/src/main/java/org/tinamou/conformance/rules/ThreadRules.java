package org.tinamou.conformance.rules;

import com.tngtech.archunit.core.domain.JavaAnnotation;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.domain.properties.HasAnnotations;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Methods say on which thread they run: {@code @AnyThread}, {@code @HomeThread} (the thread of the
 * loop) or {@code @InCoroutine} (in a coroutine, which runs on the home thread and may park). On a
 * class the annotation speaks for all its methods that have none.
 */
final class ThreadRules {
  /**
   * What a method of a category must not call directly; in a lambda it may, since that runs later.
   */
  private static final Map<String, Set<String>> MUST_NOT_CALL =
      Map.of(
          "AnyThread", Set.of("HomeThread", "InCoroutine"),
          "HomeThread", Set.of("InCoroutine"),
          "InCoroutine", Set.of());

  private ThreadRules() {}

  static ArchRule categoriesHold(String root) {
    return ArchRuleDefinition.classes()
        .that()
        .resideInAPackage(root + "..")
        .should(
            new ArchCondition<JavaClass>("call only what may run on their thread") {
              @Override
              public void check(JavaClass javaClass, ConditionEvents events) {
                for (JavaMethodCall call : javaClass.getMethodCallsFromSelf()) {
                  checkCall(call, events);
                }
              }
            });
  }

  private static void checkCall(JavaMethodCall call, ConditionEvents events) {
    if (call.isDeclaredInLambda()) {
      return;
    }
    String caller = category(call.getOrigin()).orElse("");
    String called = call.getTarget().resolveMember().flatMap(ThreadRules::category).orElse("");
    if (MUST_NOT_CALL.getOrDefault(caller, Set.of()).contains(called)) {
      events.add(
          ArrowRules.violation(
              call, "@" + caller + " calls @" + called + ": " + call.getDescription()));
    }
  }

  private static Optional<String> category(JavaMember member) {
    return annotated(member)
        .or(() -> member instanceof JavaCodeUnit ? annotated(member.getOwner()) : Optional.empty());
  }

  private static Optional<String> annotated(HasAnnotations<?> element) {
    return element.getAnnotations().stream()
        .map(JavaAnnotation::getRawType)
        .map(JavaClass::getSimpleName)
        .filter(MUST_NOT_CALL::containsKey)
        .findFirst();
  }
}
