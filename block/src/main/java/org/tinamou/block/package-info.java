/**
 * The graph of block nodes: guest-offset requests go down, data and block status come up; nodes are
 * drained, changed and moved between loops while that happens.
 *
 * <p>Requests are coroutines of any loop; the graph changes on the main loop only. Depends on
 * {@code aio}, {@code qapi} and {@code objects}. Start reading at {@link
 * org.tinamou.block.BlockException}.
 */
package org.tinamou.block;
