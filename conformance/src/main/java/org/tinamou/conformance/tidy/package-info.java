/**
 * The house style that no formatter checks: lengths, leftovers, package heads, links in documents.
 *
 * <p>Source text flows in, findings come out; plain JUnit threads. Depends on the JDK's parser
 * only. Start reading at {@code TidyTest}.
 */
@NullMarked
package org.tinamou.conformance.tidy;

import org.jspecify.annotations.NullMarked;
