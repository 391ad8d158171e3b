/**
 * Two images that must show the same: every difference is an error.
 *
 * <p>Requests run in coroutines of any loop, and a second one beside each. Depends on {@code
 * block}. Start reading at {@link org.tinamou.drivers.filter.blkverify.BlkverifyDriver}.
 */
package org.tinamou.drivers.filter.blkverify;
