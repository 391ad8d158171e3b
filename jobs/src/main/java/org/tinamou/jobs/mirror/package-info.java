/**
 * Mirror: a node is copied to another while it is written to, until both are the same and are kept
 * so; then the other can take its place.
 *
 * <p>Guests' writes come through a filter in front of the source, in any loop; copies run in the
 * job's loop. Depends on {@code block} and {@code drivers}. Start reading at {@link
 * org.tinamou.jobs.mirror.MirrorJob}.
 */
package org.tinamou.jobs.mirror;
