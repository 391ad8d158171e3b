/**
 * Planted bugs: source substitutions that are compiled into a test build, to show that the
 * simulator finds what it is meant to find.
 *
 * <p>A mutant runs in a JVM of its own; the product's sources and classes stay untouched. Depends
 * on the JDK's compiler. Start reading at {@link org.tinamou.testkit.mutant.Mutant}.
 */
package org.tinamou.testkit.mutant;
