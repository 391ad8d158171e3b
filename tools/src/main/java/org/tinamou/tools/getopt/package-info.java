/**
 * Command lines in, options out, exactly as the C library's {@code getopt_long} sees them.
 *
 * <p>One scanner belongs to one thread. Depends on {@code java.base} only, and on little of that:
 * this is on the start-up path of every tool. Start reading at {@link
 * org.tinamou.tools.getopt.OptionScanner}.
 */
package org.tinamou.tools.getopt;
