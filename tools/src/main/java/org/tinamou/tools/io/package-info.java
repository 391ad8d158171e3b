/**
 * The {@code io} tool: commands that read, write and verify an open image, from options or from
 * standard input.
 *
 * <p>All commands run in one coroutine of the tool's loop; asynchronous requests in their own.
 * Depends on {@code cli}, {@code getopt} and {@code image}. Start reading at {@link
 * org.tinamou.tools.io.IoTool}.
 */
package org.tinamou.tools.io;
