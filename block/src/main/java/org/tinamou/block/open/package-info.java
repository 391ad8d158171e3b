/**
 * Names and options in, open nodes out: drivers are found by name, by protocol or by probing.
 *
 * <p>Coroutines of the main loop. Depends on {@code block} and {@code qapi}; the list of drivers is
 * an argument. Start reading at {@link org.tinamou.block.open.NodeOpener}.
 */
package org.tinamou.block.open;
