/**
 * What the build runs once to learn what the tools need at their start.
 *
 * <p>Runs on the main thread of a process of its own. Depends on the tools; nothing depends on it.
 * Start reading at {@link org.tinamou.tools.rehearsal.RehearsalMain}, and in {@code
 * launcher/assemble.sh}, which calls it.
 */
package org.tinamou.tools.rehearsal;
