/**
 * Every write passes on to an image and goes into a log beside it, which can be replayed.
 *
 * <p>Requests run in coroutines of any loop; the log is written by one at a time. Depends on {@code
 * block}. Start reading at {@link org.tinamou.drivers.filter.blklogwrites.WriteLog}.
 */
package org.tinamou.drivers.filter.blklogwrites;
