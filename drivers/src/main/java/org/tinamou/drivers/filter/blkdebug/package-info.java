/**
 * Errors, limits and pauses on purpose: a filter whose rules say which requests fail or wait.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block} and {@code qapi}. Start
 * reading at {@link org.tinamou.drivers.filter.blkdebug.BlkdebugDriver}, then at {@link
 * org.tinamou.drivers.filter.blkdebug.RuleEngine}.
 */
package org.tinamou.drivers.filter.blkdebug;
