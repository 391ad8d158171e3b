/**
 * The machine front: command lines written for qemu-system-x86_64 in, a block graph with drives,
 * monitors and exports out. There is no processor and there are no devices yet: the only machine is
 * the empty one, and what would need more is refused in the words of the reference.
 *
 * <p>The tool's thread is the main loop; everything else is a coroutine of it. Depends on {@code
 * daemon} for the graph and its commands, on {@code monitor} for character devices and sessions.
 * Start reading at {@link org.tinamou.tools.system.SystemTool}.
 */
package org.tinamou.tools.system;
