/**
 * The monitor for people: a table of commands with their help, the reading of their arguments, and
 * the editing of a line.
 *
 * <p>Commands run in coroutines of the main loop; the rest is plain values. Depends on {@code aio}
 * and {@code qapi}. Start reading at {@link org.tinamou.monitor.hmp.HumanTable}.
 */
package org.tinamou.monitor.hmp;
