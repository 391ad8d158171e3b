/**
 * The qcow2 format: guest ranges become clusters of a file, through two levels of tables, with a
 * count of references for each cluster.
 *
 * <p>Requests are coroutines of any loop; tables belong to whoever holds the image's metadata lock.
 * Depends on {@code block}. Start reading at {@link org.tinamou.drivers.format.qcow2.Qcow2Driver};
 * the format is described in QEMU's docs/interop/qcow2.
 */
package org.tinamou.drivers.format.qcow2;
