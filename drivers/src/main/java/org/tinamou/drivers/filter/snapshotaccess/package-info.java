/**
 * A disk that is read only: what a filter below it has kept of another one.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.filter.snapshotaccess.SnapshotAccessDriver}.
 */
package org.tinamou.drivers.filter.snapshotaccess;
