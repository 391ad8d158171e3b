/**
 * JCStress tests of what threads share, run by {@code ./tinamou jcstress}.
 *
 * <p>Actors race on a small state and their results are judged; JCStress starts the threads and the
 * JVMs. May depend on {@code base}, {@code host} and {@code aio}. Start reading at {@code
 * IoVectorPublication}.
 */
@NullMarked
package org.tinamou.jcstress;

import org.jspecify.annotations.NullMarked;
