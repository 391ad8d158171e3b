/**
 * An image as the tools see it: found by name and format, opened, read and written.
 *
 * <p>Open images belong to coroutines of one loop. Depends on {@code drivers}; this is the one
 * place in the tools that does. Start reading at {@link org.tinamou.tools.image.OpenImage}.
 */
package org.tinamou.tools.image;
