/**
 * A filter that has the old data of a disk copied to a target before it is written over, and lets
 * readers see the disk as it was.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.filter.copybeforewrite.CopyBeforeWriteDriver}.
 */
package org.tinamou.drivers.filter.copybeforewrite;
