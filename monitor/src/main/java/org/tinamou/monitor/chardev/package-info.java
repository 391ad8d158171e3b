/**
 * Character devices: sockets, terminals, pipes, files and memory that a monitor speaks through.
 * Each gives its user one connection after another.
 *
 * <p>All on the main loop. Depends on {@code aio} and {@code qapi}. Start reading at {@link
 * org.tinamou.monitor.chardev.CharDevice} and {@link org.tinamou.monitor.chardev.CharDevices}.
 */
package org.tinamou.monitor.chardev;
