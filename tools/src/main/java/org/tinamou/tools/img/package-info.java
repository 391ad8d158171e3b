/**
 * The {@code img} tool: one class a command, options in, text and exit code out.
 *
 * <p>A command runs on the tool's thread; what moves data runs in coroutines of its loop. Depends
 * on {@code cli}, {@code getopt} and {@code image}. Start reading at {@link
 * org.tinamou.tools.img.ImgTool}.
 */
package org.tinamou.tools.img;
