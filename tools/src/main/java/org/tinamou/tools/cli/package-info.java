/**
 * What all command-line tools share: messages in the reference's form, sizes, cache modes,
 * progress, and the loop that a command runs under.
 *
 * <p>One tool runs on one thread. Depends on {@code getopt} and the rooms below. Start reading at
 * {@link org.tinamou.tools.cli.Tool} and {@link org.tinamou.tools.cli.Console}.
 */
package org.tinamou.tools.cli;
