/**
 * Several images that ought to show the same: what most of them say is what is read, and events
 * tell of the others.
 *
 * <p>Requests run in coroutines of any loop, and one more for each further image. Depends on {@code
 * block}. Start reading at {@link org.tinamou.drivers.filter.quorum.QuorumDriver}.
 */
package org.tinamou.drivers.filter.quorum;
