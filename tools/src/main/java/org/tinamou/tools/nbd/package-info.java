/**
 * The server of disk images: one image, shown to NBD clients, as scripts written for qemu-nbd
 * expect it.
 *
 * <p>Runs on the tool's thread and in coroutines of its loop. Depends on {@code daemon}, {@code
 * nbd} and the image facade. Start reading at {@link org.tinamou.tools.nbd.NbdTool}.
 */
package org.tinamou.tools.nbd;
