/**
 * The kinds of objects users can define beside secrets: loops, limits shared by nodes.
 *
 * <p>Main loop. Depends on {@code objects} and {@code block}. Start reading at {@link
 * org.tinamou.daemon.object.ObjectTypes}.
 */
package org.tinamou.daemon.object;
