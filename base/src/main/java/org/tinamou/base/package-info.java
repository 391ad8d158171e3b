/**
 * Small closed values that every room shares: errno kinds, buffers, clocks, checks.
 *
 * <p>Nothing here starts a thread or touches the host; everything may be used from any thread
 * unless its own javadoc says otherwise. Depends on {@code java.base} only. Start reading at {@link
 * org.tinamou.base.Errno} and {@link org.tinamou.base.IoVector}.
 */
package org.tinamou.base;
